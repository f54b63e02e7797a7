//! Settings of a response.

use std::borrow::Cow;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json, missing};
use crate::json::{Json, JsonObject};
use crate::record::members;
use crate::string_enum::closed_enum;
use crate::union::untagged_union;

closed_enum! {
    /// The service tier of a request.
    pub enum ResponseServiceTier {
        /// The default of the account's project.
        Auto = "auto",
        /// The standard tier.
        Default = "default",
        /// Slower and cheaper.
        Flex = "flex",
        /// From capacity purchased in advance.
        Scale = "scale",
        /// Faster and more expensive.
        Priority = "priority",
    }
}

closed_enum! {
    /// What happens if the conversation exceeds the model's context length.
    pub enum Truncation {
        /// The request fails.
        Disabled = "disabled",
        /// Messages at the beginning are dropped.
        Auto = "auto",
    }
}

/// A prompt stored at the vendor. Other members are kept.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ResponsePrompt {
    /// Its id.
    #[record(required)]
    pub id: String,
    /// Values of its variables, by name: a text, or a part as in an input message.
    pub variables: Option<JsonObject>,
    /// Its version; the current one if null.
    pub version: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// Reasoning options. Other members are kept.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Reasoning {
    /// The reasoning effort: `minimal`, `low`, `medium`, `high`, or another value that the model knows.
    pub effort: Option<String>,
    /// The former name of `summary`.
    pub generate_summary: Option<String>,
    /// The detail of the reasoning summary: `auto`, `concise` or `detailed`.
    pub summary: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// The format of the text. Other members are kept.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ResponseTextConfig {
    /// `{"type": "text"}`, `{"type": "json_object"}`, or `{"type": "json_schema"}` with a name and a schema.
    pub format: Option<JsonObject>,
    /// The verbosity: `low`, `medium` or `high`.
    pub verbosity: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

closed_enum! {
    /// Whether a model must call tools.
    pub enum ResponseToolChoiceMode {
        /// The model decides.
        Auto = "auto",
        /// The model must not call tools.
        None = "none",
        /// The model must call at least one tool.
        Required = "required",
    }
}

/// Which tool a model must call.
#[derive(Clone, Debug, PartialEq)]
pub enum ResponseToolChoice {
    /// A mode that allows, forbids or requires any tool.
    Mode(ResponseToolChoiceMode),
    /// A specific tool, or a set of allowed tools, depending on `type`. The object is kept unchanged.
    Tool(JsonObject),
}

impl Default for ResponseToolChoice {
    fn default() -> Self {
        ResponseToolChoice::Mode(ResponseToolChoiceMode::default())
    }
}

impl Serialize for ResponseToolChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ResponseToolChoice::Mode(mode) => mode.serialize(serializer),
            ResponseToolChoice::Tool(members) => members.serialize(serializer),
        }
    }
}

impl FromJson for ResponseToolChoice {
    fn from_json(json: Json) -> Decoded<Self> {
        if json.as_str().is_some() {
            return ResponseToolChoiceMode::from_json(json).map(ResponseToolChoice::Mode);
        }
        let members = members(json)?;
        match members.get("type") {
            Some(Json::String(_)) => Ok(ResponseToolChoice::Tool(members)),
            Some(other) => {
                Err(ValidationError::new("string_type", "expected a string", other.clone()).at("type"))
            }
            None => Err(missing("type", Json::Object(members))),
        }
    }
}

impl JsonSchema for ResponseToolChoice {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ResponseToolChoice")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let tool = schemars::json_schema!({
            "type": "object",
            "properties": { "type": { "type": "string" } },
            "required": ["type"],
            "additionalProperties": true,
        });
        untagged_union(&["Which tool."], &[generator.subschema_for::<ResponseToolChoiceMode>(), tool])
    }
}

deserialize_from_json!(ResponseToolChoice);
