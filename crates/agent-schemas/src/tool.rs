//! Tools that a request declares.

use std::borrow::Cow;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json};
use crate::json::{Json, JsonObject};
use crate::union::untagged_union;

/// A tool of a request.
///
/// An exact function tool is typed. Anything else (other kinds of tools, function tools with additional keys) is kept
/// unchanged, so that nothing the client sent is lost.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RequestTool {
    /// A function tool without additional keys.
    Function(Tool),
    /// Any other object.
    Other(JsonObject),
}

/// A function tool.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Returns the weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    }
}"#)]
#[non_exhaustive]
pub struct Tool {
    /// `function`.
    #[record(name = "type", default = Some("function".to_owned()))]
    pub kind: Option<String>,
    /// The function.
    pub function: Option<FunctionTool>,
}

/// The description of a function for a model.
#[derive(Clone, Debug, PartialEq, Record)]
#[non_exhaustive]
pub struct FunctionTool {
    /// Its name.
    #[record(required)]
    pub name: String,
    /// What it does.
    #[record(required)]
    pub description: String,
    /// The parameters as a JSON Schema.
    #[record(required)]
    pub parameters: Parameters,
}

/// The parameters of a function.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Parameters {
    /// The simple form.
    Typed(FunctionParameters),
    /// Any other JSON Schema, kept unchanged.
    Schema(JsonObject),
}

/// A simple JSON Schema of parameters.
#[derive(Clone, Debug, PartialEq, Record)]
#[non_exhaustive]
pub struct FunctionParameters {
    /// `object`.
    #[record(name = "type", required)]
    pub kind: String,
    /// The parameters' schemas by name.
    #[record(required)]
    pub properties: JsonObject,
    /// The names of the required parameters. The key itself must be present.
    #[record(required)]
    pub required: Option<Vec<String>>,
}

impl RequestTool {
    /// The name, description and JSON Schema of a function tool, in whichever form it was given.
    pub fn function(&self) -> Option<(&str, &str, Json)> {
        match self {
            RequestTool::Function(tool) => {
                let function = tool.function.as_ref()?;
                let schema = Json::from_serialize(&function.parameters).ok()?;
                Some((&function.name, &function.description, schema))
            }
            RequestTool::Other(members) => {
                let function = members.get("function")?.as_object()?;
                let description = function.get("description").and_then(Json::as_str).unwrap_or_default();
                let schema = function.get("parameters").cloned().unwrap_or_default();
                Some((function.get("name")?.as_str()?, description, schema))
            }
        }
    }
}

impl Serialize for RequestTool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            RequestTool::Function(tool) => tool.serialize(serializer),
            RequestTool::Other(members) => members.serialize(serializer),
        }
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Parameters::Typed(parameters) => parameters.serialize(serializer),
            Parameters::Schema(schema) => schema.serialize(serializer),
        }
    }
}

impl FromJson for RequestTool {
    fn from_json(json: Json) -> Decoded<Self> {
        let members = JsonObject::from_json(json)?;
        let lossless = |tool: &Tool| {
            tool.function.is_some()
                && Json::from_serialize(tool).is_ok_and(|dump| dump.as_object() == Some(&members))
        };
        Ok(match Tool::from_json(Json::Object(members.clone())) {
            Ok(tool) if lossless(&tool) => RequestTool::Function(tool),
            _ => RequestTool::Other(members),
        })
    }
}

impl FromJson for Parameters {
    fn from_json(json: Json) -> Decoded<Self> {
        match FunctionParameters::from_json(json.clone()) {
            Ok(parameters) if Json::from_serialize(&parameters).is_ok_and(|dump| dump == json) => {
                Ok(Parameters::Typed(parameters))
            }
            _ => JsonObject::from_json(json).map(Parameters::Schema),
        }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Parameters::Schema(JsonObject::new())
    }
}

impl JsonSchema for RequestTool {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("RequestTool")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let doc = ["A tool of a request: a function tool, or any other object, which is kept unchanged."];
        let alternatives = [generator.subschema_for::<Tool>(), generator.subschema_for::<JsonObject>()];
        untagged_union(&doc, &alternatives)
    }
}

impl JsonSchema for Parameters {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ParametersSchema")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let plain = generator.subschema_for::<FunctionParameters>();
        untagged_union(&["A JSON Schema."], &[plain, generator.subschema_for::<JsonObject>()])
    }
}

deserialize_from_json!(RequestTool, Parameters);
