//! A JSON number, kept as its digits so that no precision is lost.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON number of any size and precision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(Box<str>);

impl Number {
    /// Wraps text that is known to be a JSON number.
    pub(super) fn from_valid_text(text: impl Into<Box<str>>) -> Self {
        Number(text.into())
    }

    /// The number nearest to a float, in the shortest form that reads back as the same float; `None` for NaN and
    /// infinities.
    pub fn from_f64(value: f64) -> Option<Self> {
        let text = value.is_finite().then(|| serde_json::to_string(&value).ok())??;
        // `1e+16` and `1e16` are the same number; upstream writes the shorter one.
        Some(Number(text.replace('+', "").into()))
    }

    /// The digits as they were written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value as an integer, if it was written as one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The nearest float; infinite if the number is too large.
    pub fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok()
    }

    /// Whether it was written without a fraction and an exponent.
    pub fn is_integer(&self) -> bool {
        !self.0.contains(['.', 'e', 'E'])
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Number(value.to_string().into())
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The digits of `-0` differ from those of its integer value.
        if let Some(value) = self.as_i64().filter(|_| &*self.0 != "-0") {
            return serializer.serialize_i64(value);
        }
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}
