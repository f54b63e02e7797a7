//! Options for a streamed response.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json, member};
use crate::json::Json;
use crate::record::{description, members};

/// Options for a streamed response. `None` is omitted on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamOptions {
    /// Whether a last chunk without choices reports the usage of the whole answer.
    pub include_usage: Option<bool>,
    /// Whether the server pads chunks to hide their length.
    pub include_obfuscation: Option<bool>,
}

impl Serialize for StreamOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        let options =
            [("include_usage", self.include_usage), ("include_obfuscation", self.include_obfuscation)];
        for (key, value) in options.into_iter().filter(|(_, value)| value.is_some()) {
            out.serialize_entry(key, &value)?;
        }
        out.end()
    }
}

impl FromJson for StreamOptions {
    fn from_json(json: Json) -> Decoded<Self> {
        let mut options = StreamOptions::default();
        for (key, value) in members(json)? {
            match key.as_str() {
                "include_usage" => options.include_usage = member(&key, value)?,
                "include_obfuscation" => options.include_obfuscation = member(&key, value)?,
                _ => {}
            }
        }
        Ok(options)
    }
}

impl JsonSchema for StreamOptions {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("StreamOptions")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let option =
            |doc| serde_json::json!({ "type": ["boolean", "null"], "description": description(&[doc]) });
        schemars::json_schema!({
            "type": "object",
            "description": "Options for a streamed response.",
            "properties": {
                "include_usage": option("Whether a last chunk without choices reports the usage of the whole answer."),
                "include_obfuscation": option("Whether the server pads chunks to hide their length."),
            },
        })
    }
}

deserialize_from_json!(StreamOptions);
