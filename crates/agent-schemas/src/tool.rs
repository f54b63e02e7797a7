//! Tools that a request declares.

use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json, missing, read_members};
use crate::json::{Json, JsonObject};

/// A tool of a request.
///
/// What is exactly a function tool is typed; everything else (other kinds of tools, function tools with further
/// keys) is kept as it came, so that nothing the client said is lost.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RequestTool {
    /// A function tool without any further key.
    Function(Tool),
    /// Any other object.
    Other(JsonObject),
}

/// A function tool.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tool {
    /// `function`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The function.
    pub function: Option<FunctionTool>,
}

/// What a model needs to know of a function.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FunctionTool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Its parameters.
    pub parameters: Parameters,
}

/// The parameters of a function.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Parameters {
    /// The plain form.
    Typed(FunctionParameters),
    /// Any other JSON Schema, kept as it came.
    Schema(JsonObject),
}

/// The plain form of a JSON Schema of parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FunctionParameters {
    /// `object`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The parameters' own schemas by name.
    pub properties: JsonObject,
    /// The names of those that must be given; the key itself must be there.
    pub required: Option<Vec<String>>,
}

impl RequestTool {
    /// Name, description and JSON Schema of a function tool, in whichever form it came.
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

impl FromJson for Tool {
    fn from_json(json: Json) -> Decoded<Self> {
        let mut tool = Tool { kind: Some("function".to_owned()), function: None };
        read_members!(JsonObject::from_json(json)? => tool { "type": kind, "function": function });
        Ok(tool)
    }
}

impl FromJson for FunctionTool {
    fn from_json(json: Json) -> Decoded<Self> {
        let members = JsonObject::from_json(json)?;
        let whole = |key| missing(key, Json::Object(members.clone()));
        let text = |key: &'static str| match members.get(key) {
            Some(value) => crate::decode::member(key, value.clone()),
            None => Err(whole(key)),
        };
        let parameters = members.get("parameters").cloned().ok_or_else(|| whole("parameters"))?;
        Ok(FunctionTool {
            name: text("name")?,
            description: text("description")?,
            parameters: crate::decode::member("parameters", parameters)?,
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

impl FromJson for FunctionParameters {
    fn from_json(json: Json) -> Decoded<Self> {
        for key in ["type", "properties", "required"] {
            if json.get(key).is_none() {
                return Err(ValidationError::new("missing", "this field is required", json).at(key));
            }
        }
        let mut parameters =
            FunctionParameters { kind: String::new(), properties: JsonObject::new(), required: None };
        read_members!(JsonObject::from_json(json)? => parameters {
            "type": kind, "properties": properties, "required": required
        });
        Ok(parameters)
    }
}

deserialize_from_json!(RequestTool, Tool, FunctionTool, Parameters, FunctionParameters);
