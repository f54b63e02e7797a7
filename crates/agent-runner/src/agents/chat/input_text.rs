//! Reads the text of `{"input": "…"}` while its JSON arrives in pieces.

use agent_schemas::{Json, json};

/// What comes before the text, without white space.
const BEFORE: [&str; 4] = ["{", "\"input\"", ":", "\""];

/// A reader of the text. It returns nothing if the JSON begins differently.
#[derive(Debug, Default)]
pub(super) struct InputText {
    /// How many tokens of [`BEFORE`] have arrived.
    begun: usize,
    /// What cannot be read yet.
    rest: String,
    is_over: bool,
}

impl InputText {
    /// Takes a piece of the JSON, and returns what it adds to the text.
    pub(super) fn push(&mut self, piece: &str) -> String {
        if self.is_over {
            return String::new();
        }
        self.rest.push_str(piece);
        while let Some(token) = BEFORE.get(self.begun) {
            let rest = self.rest.trim_start();
            match rest.strip_prefix(token) {
                Some(after) => {
                    self.rest = after.to_owned();
                    self.begun += 1;
                }
                None => {
                    self.is_over = !token.starts_with(rest);
                    return String::new();
                }
            }
        }
        self.text()
    }

    /// The characters that are complete.
    fn text(&mut self) -> String {
        let mut at = 0;
        while let Some(next) = self.rest[at..].chars().next() {
            match next {
                '"' => {
                    self.is_over = true;
                    break;
                }
                '\\' => match escape_length(&self.rest[at..]) {
                    Some(length) => at += length,
                    None => break,
                },
                _ => at += next.len_utf8(),
            }
        }
        let raw: String = self.rest.drain(..at).collect();
        match json::parse(&format!("\"{raw}\"")) {
            Ok(Json::String(text)) => text,
            // Not JSON: the client gets the text once the arguments are complete.
            _ => {
                self.is_over = true;
                String::new()
            }
        }
    }
}

/// The length of the escape at the beginning of a text; `None` if more has to come. The two escapes of a surrogate pair
/// count as one.
fn escape_length(text: &str) -> Option<usize> {
    let letter = text[1..].chars().next()?;
    if letter != 'u' {
        return Some(1 + letter.len_utf8());
    }
    let code = u32::from_str_radix(text.get(2..6)?, 16).unwrap_or_default();
    let is_high = (0xD800..0xDC00).contains(&code);
    let length = if is_high { 12 } else { 6 };
    text.is_char_boundary(length).then_some(length).filter(|length| text.len() >= *length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> Vec<String> {
        let mut input = InputText::default();
        pieces.iter().map(|piece| input.push(piece)).collect()
    }

    #[test]
    fn input__any_chunking__gives_the_text() {
        let whole = r#" { "input" : "a\n\"b\" \ud83d\ude00 é\\" , "x": 1 }"#;
        for size in 1..12 {
            let characters: Vec<char> = whole.chars().collect();
            let pieces: Vec<String> = characters.chunks(size).map(|chunk| chunk.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            assert_eq!(read(&pieces).concat(), "a\n\"b\" 😀 é\\", "{size}");
        }
    }

    #[test]
    fn input__pieces__arrive_at_once() {
        assert_eq!(read(&[r#"{"input":"a"#, "b", r"\", r#"nc"}"#]), ["a", "b", "", "\nc"]);
    }

    #[test]
    fn input__other_json__gives_nothing() {
        assert_eq!(read(&[r#"{"patch":"a"}"#]).concat(), "");
        assert_eq!(read(&["*** Begin", " Patch"]).concat(), "");
        assert_eq!(read(&[r#"{"input":7}"#]).concat(), "");
        assert_eq!(read(&[r#"{"input":"a\x"#, "b"]).concat(), "");
    }
}
