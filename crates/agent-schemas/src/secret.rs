//! Text that must not be logged.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json};
use crate::json::Json;

/// An API key. It is written to the wire unchanged, but `Debug` prints `[redacted]`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretText(Box<str>);

impl SecretText {
    /// Wraps a secret text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        SecretText(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        SecretText::new(text)
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        SecretText::new(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl FromJson for SecretText {
    fn from_json(json: Json) -> Decoded<Self> {
        let text = String::from_json(json).map_err(|fault| ValidationError { input: Json::Null, ..fault })?;
        Ok(SecretText::from(text))
    }
}

impl JsonSchema for SecretText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("SecretText")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<String>()
    }
}

deserialize_from_json!(SecretText);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret__serialized__but_hidden_in_debug() {
        let secret = SecretText::new("sk-1234");
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""sk-1234""#);
        assert_eq!(format!("{:?}", Some(&secret)), "Some([redacted])");
    }

    #[test]
    fn secret__wrong_type__is_not_shown_in_error() {
        let fault = SecretText::from_json(Json::from(1234)).unwrap_err();
        assert_eq!((fault.kind, fault.input), ("string_type", Json::Null));
    }
}
