//! How the answer to a request is to be made.

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
    /// How fast, and at which price, an answer is made.
    pub enum ResponseServiceTier {
        /// As the account's project is set.
        Auto = "auto",
        /// The usual one.
        Default = "default",
        /// Slower and cheaper.
        Flex = "flex",
        /// From capacity that was bought in advance.
        Scale = "scale",
        /// Faster and dearer.
        Priority = "priority",
    }
}

closed_enum! {
    /// What becomes of a conversation that is too long for the model.
    pub enum Truncation {
        /// The request fails.
        Disabled = "disabled",
        /// Its beginning is left out.
        Auto = "auto",
    }
}

/// A prompt that is stored with the vendor. Members besides these are kept.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ResponsePrompt {
    /// Its id.
    #[record(required)]
    pub id: String,
    /// What stands for its variables, by name: a text, or a part as in an input message.
    pub variables: Option<JsonObject>,
    /// Its version; the current one if null.
    pub version: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// How a model reasons. Members besides these are kept.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Reasoning {
    /// How hard it tries: `minimal`, `low`, `medium`, `high`, or another word that the model knows.
    pub effort: Option<String>,
    /// The former name of `summary`.
    pub generate_summary: Option<String>,
    /// How much it tells of its reasoning: `auto`, `concise` or `detailed`.
    pub summary: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// The form of an answer's text. Members besides these are kept.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ResponseTextConfig {
    /// `{"type": "text"}`, `{"type": "json_object"}`, or `{"type": "json_schema"}` with a name and a schema.
    pub format: Option<JsonObject>,
    /// How long the text is: `low`, `medium` or `high`.
    pub verbosity: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

closed_enum! {
    /// Whether a model is to call tools.
    pub enum ResponseToolChoiceMode {
        /// As it thinks best.
        Auto = "auto",
        /// It may not.
        None = "none",
        /// It has to call at least one.
        Required = "required",
    }
}

/// Which tool a model is to call.
#[derive(Clone, Debug, PartialEq)]
pub enum ResponseToolChoice {
    /// Any or none.
    Mode(ResponseToolChoiceMode),
    /// A tool, or several that are allowed, as its member `type` says. The object is kept as it came.
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
