//! Which tool a model must call.

use std::borrow::Cow;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json};
use crate::json::Json;
use crate::union::untagged_union;

/// A specific tool that the model must call.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ToolChoice {
    /// The tool type: `function`.
    #[record(name = "type", required)]
    pub kind: String,
    /// The function.
    #[record(required)]
    pub function: ToolChoiceInputFunction,
}

/// The function that the model must call.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ToolChoiceInputFunction {
    /// Its name.
    #[record(required)]
    pub name: String,
}

/// Which tool a model must call.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolChoiceOrMode {
    /// `none`, `auto` or `required`. Other strings are passed to the model server unchanged.
    Mode(String),
    /// A specific tool.
    Tool(ToolChoice),
}

impl Serialize for ToolChoiceOrMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ToolChoiceOrMode::Mode(mode) => mode.serialize(serializer),
            ToolChoiceOrMode::Tool(tool) => tool.serialize(serializer),
        }
    }
}

impl FromJson for ToolChoiceOrMode {
    fn from_json(json: Json) -> Decoded<Self> {
        match json {
            Json::String(mode) => Ok(ToolChoiceOrMode::Mode(mode)),
            Json::Object(_) => ToolChoice::from_json(json).map(ToolChoiceOrMode::Tool),
            other => Err(ValidationError::new("string_type", "expected a string or an object", other)),
        }
    }
}

impl JsonSchema for ToolChoiceOrMode {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ToolChoiceOrMode")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let alternatives = [generator.subschema_for::<String>(), generator.subschema_for::<ToolChoice>()];
        untagged_union(&["Which tool a model must call."], &alternatives)
    }
}

deserialize_from_json!(ToolChoiceOrMode);
