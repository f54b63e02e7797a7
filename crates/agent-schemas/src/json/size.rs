//! The size of JSON, measured without writing it.

use std::io;

use serde::Serialize;

/// What one value takes in memory in addition to its text, in bytes: an estimate.
const VALUE_BYTES: usize = 64;

/// The size of a JSON text, and of the values that are parsed from it. Measuring allocates nothing.
///
/// ```
/// use agent_schemas::json::JsonSize;
///
/// assert_eq!(JsonSize::of(&[1, 2, 3]).text(), "[1,2,3]".len());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonSize {
    text: usize,
    values: usize,
}

impl JsonSize {
    /// Measures the text that a value would be written as; 0 if it has no JSON.
    pub fn of(value: &(impl Serialize + ?Sized)) -> Self {
        let mut size = JsonSize::default();
        match serde_json::to_writer(&mut size, value) {
            Ok(()) => size,
            Err(_) => JsonSize::default(),
        }
    }

    /// Measures a text.
    pub fn of_text(text: &[u8]) -> Self {
        let values = text.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
        JsonSize { text: text.len(), values }
    }

    /// The length of the text, in bytes.
    pub fn text(&self) -> usize {
        self.text
    }

    /// Roughly how many bytes of memory the text takes together with its values. A text of many small values takes
    /// several times its length.
    pub fn memory(&self) -> usize {
        self.text.saturating_add(self.values.saturating_mul(VALUE_BYTES))
    }
}

impl io::Write for JsonSize {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let more = JsonSize::of_text(bytes);
        self.text += more.text;
        self.values += more.values;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size__value_or_its_text__is_equal() {
        let value = serde_json::json!({ "a": [1, "x,[", { "b": null }], "c": "é\n" });
        let size = JsonSize::of(&value);
        assert_eq!(size, JsonSize::of_text(value.to_string().as_bytes()));
        assert_eq!(size.memory(), size.text() + 8 * VALUE_BYTES);
    }
}
