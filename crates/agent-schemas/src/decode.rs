//! Converts [`Json`] to typed values and reports the location of the first error.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;

use crate::json::{Json, JsonObject};

/// One step on the path to an invalid value: a member's name or an item's position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object.
    Key(String),
    /// An item of an array.
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Step::Index(index)
    }
}

/// Why a value was rejected, and where it is.
///
/// Neither `Display` nor `Debug` shows the invalid value, as it may contain secrets.
#[derive(Clone, PartialEq)]
pub struct ValidationError {
    /// A short machine-readable name of the error (`missing`, `string_type`, …), as upstream's validator names it.
    pub kind: &'static str,
    /// The path from the document's root to the invalid value.
    pub location: Vec<Step>,
    /// A human-readable description.
    pub message: String,
    /// The invalid value, or the object that lacks a member. Null if the value is secret.
    pub input: Json,
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.location.iter().enumerate() {
            let dot = if position > 0 { "." } else { "" };
            match step {
                Step::Key(key) => write!(f, "{dot}{key}")?,
                Step::Index(index) => write!(f, "{dot}{index}")?,
            }
        }
        let colon = if self.location.is_empty() { "" } else { ": " };
        write!(f, "{colon}{}", self.message)
    }
}

impl fmt::Debug for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ValidationError");
        out.field("kind", &self.kind).field("location", &self.location).field("message", &self.message);
        out.finish_non_exhaustive()
    }
}

impl std::error::Error for ValidationError {}

pub(crate) type Decoded<T> = Result<T, ValidationError>;

impl ValidationError {
    pub(crate) fn new(kind: &'static str, message: impl Into<String>, input: Json) -> Self {
        ValidationError { kind, location: Vec::new(), message: message.into(), input }
    }

    /// The same error, one level further out.
    pub(crate) fn at(mut self, step: impl Into<Step>) -> Self {
        self.location.insert(0, step.into());
        self
    }
}

/// A type that can be read from [`Json`].
pub(crate) trait FromJson: Sized {
    fn from_json(json: Json) -> Decoded<Self>;
}

impl FromJson for Json {
    fn from_json(json: Json) -> Decoded<Self> {
        Ok(json)
    }
}

impl FromJson for String {
    fn from_json(json: Json) -> Decoded<Self> {
        match json {
            Json::String(text) => Ok(text),
            other => Err(ValidationError::new("string_type", "expected a string", other)),
        }
    }
}

impl FromJson for Cow<'static, str> {
    fn from_json(json: Json) -> Decoded<Self> {
        String::from_json(json).map(Cow::Owned)
    }
}

impl FromJson for JsonObject {
    fn from_json(json: Json) -> Decoded<Self> {
        match json {
            Json::Object(members) => Ok(members),
            other => Err(ValidationError::new("dict_type", "expected an object", other)),
        }
    }
}

/// Numbers by name.
impl FromJson for IndexMap<String, i64> {
    fn from_json(json: Json) -> Decoded<Self> {
        map(json)
    }
}

/// Reads an object whose values all have one type.
pub(crate) fn map<T: FromJson>(json: Json) -> Decoded<IndexMap<String, T>> {
    let members = JsonObject::from_json(json)?;
    members.into_iter().map(|(key, value)| member(&key, value).map(|value| (key, value))).collect()
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(json: Json) -> Decoded<Self> {
        if json.is_null() { Ok(None) } else { T::from_json(json).map(Some) }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: Json) -> Decoded<Self> {
        match json {
            Json::Array(items) => {
                // Exactly sized, because a run keeps its request for its whole life.
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    values.push(T::from_json(item).map_err(|fault| fault.at(index))?);
                }
                Ok(values)
            }
            other => Err(ValidationError::new("list_type", "expected an array", other)),
        }
    }
}

/// Reads one member of an object and adds its name to the location of an error.
pub(crate) fn member<T: FromJson>(key: &str, value: Json) -> Decoded<T> {
    T::from_json(value).map_err(|fault| fault.at(key))
}

/// The error for a missing member.
pub(crate) fn missing(key: &str, whole: Json) -> ValidationError {
    ValidationError::new("missing", "this field is required", whole).at(key)
}

/// Implements serde's `Deserialize` for a [`FromJson`] type.
macro_rules! deserialize_from_json {
    ($($name:ty),* $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let json = <$crate::Json as serde::Deserialize>::deserialize(deserializer)?;
                <$name as $crate::decode::FromJson>::from_json(json).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

pub(crate) use deserialize_from_json;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::DecodeError;
    use crate::realtime::ModelstudioKnowledgeBaseConfig;

    #[test]
    fn error__invalid_value__does_not_show_it() {
        let config = crate::object! { "workspace_id" => "w", "api_key" => "sk-1234" };
        let fault = ModelstudioKnowledgeBaseConfig::from_json(config.clone().into()).unwrap_err();
        assert_eq!(fault.input, Json::from(config));
        let debug = r#"ValidationError { kind: "missing", location: [Key("index_ids")], message: "this field is required", .. }"#;
        assert_eq!(format!("{fault:?}"), debug);
        assert_eq!(fault.to_string(), "index_ids: this field is required");
        assert_eq!(format!("{:?}", DecodeError::from(fault)), format!("Form({debug})"));
    }
}
