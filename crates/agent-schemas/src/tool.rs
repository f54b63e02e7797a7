//! Tools that a request declares.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json};
use crate::json::{Json, JsonObject};
use crate::record::record;
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

record! {
    @non_exhaustive
    /// A function tool.
    #[example(r#"{
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Returns the weather in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        }
    }"#)]
    pub struct Tool {
        /// `function`.
        kind as "type": Option<String> => Some("function".to_owned()),
        /// The function.
        function: Option<FunctionTool>,
    }
}

record! {
    @non_exhaustive
    /// The description of a function for a model.
    pub struct FunctionTool {
        /// Its name.
        name: String = required,
        /// What it does.
        description: String = required,
        /// The parameters as a JSON Schema.
        parameters: Parameters = required,
    }
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

record! {
    @non_exhaustive
    /// A simple JSON Schema of parameters.
    pub struct FunctionParameters {
        /// `object`.
        kind as "type": String = required,
        /// The parameters' schemas by name.
        properties: JsonObject = required,
        /// The names of the required parameters. The key itself must be present.
        required: Option<Vec<String>> = required,
    }
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
