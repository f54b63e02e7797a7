//! The form in which a model is to answer.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json, member};
use crate::json::{Json, JsonObject};
use crate::record::{Field, IfAbsent, RecordSchema, record};
use crate::string_enum::closed_enum;
use crate::union::untagged_union;

/// The form in which a model is to answer.
///
/// On the wire `type` names it, and `json_schema` is null for all but the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ResponseFormat {
    /// Text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON of a given form.
    JsonSchema(JsonSchemaFormat),
}

record! {
    /// The form of an answer in JSON.
    pub struct JsonSchemaFormat ("ResponseFormatJsonSchema") {
        /// A name for the form: letters, digits, `_` and `-`.
        name: String = required,
        /// What the form is for; the model reads it.
        description: Option<String>,
        /// The JSON Schema that the answer has to match.
        #[alias("schema_param")]
        schema: Option<JsonObject>,
        /// Whether the model may produce nothing that does not match. Servers then take only a part of JSON Schema.
        strict: Option<bool> => Some(false),
    }
}

closed_enum! {
    /// What kind of answer is asked for.
    pub enum ResponseFormatType {
        /// Text.
        Text = "text",
        /// Any JSON object.
        JsonObject = "json_object",
        /// JSON that matches `json_schema`.
        JsonSchema = "json_schema",
    }
}

impl ResponseFormat {
    /// The name of the form, its `type` on the wire.
    pub fn kind(&self) -> ResponseFormatType {
        match self {
            ResponseFormat::Text => ResponseFormatType::Text,
            ResponseFormat::JsonObject => ResponseFormatType::JsonObject,
            ResponseFormat::JsonSchema(_) => ResponseFormatType::JsonSchema,
        }
    }

    /// The form of an answer in JSON of a given form.
    pub fn json_schema(&self) -> Option<&JsonSchemaFormat> {
        match self {
            ResponseFormat::JsonSchema(schema) => Some(schema),
            ResponseFormat::Text | ResponseFormat::JsonObject => None,
        }
    }
}

impl Serialize for ResponseFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        out.serialize_entry("type", &self.kind())?;
        out.serialize_entry("json_schema", &self.json_schema())?;
        out.end()
    }
}

impl FromJson for ResponseFormat {
    fn from_json(json: Json) -> Decoded<Self> {
        let members = crate::record::members(json)?;
        let value = |key: &str| members.get(key).cloned();
        let kind = value("type").map_or(Ok(ResponseFormatType::default()), |kind| member("type", kind))?;
        let schema: Option<JsonSchemaFormat> =
            value("json_schema").map_or(Ok(None), |schema| member("json_schema", schema))?;
        match (kind, schema) {
            (ResponseFormatType::Text, None) => Ok(ResponseFormat::Text),
            (ResponseFormatType::JsonObject, None) => Ok(ResponseFormat::JsonObject),
            (ResponseFormatType::JsonSchema, Some(schema)) => Ok(ResponseFormat::JsonSchema(schema)),
            (ResponseFormatType::JsonSchema, None) => {
                Err(rule_broken(format!("Json schema is required for type {kind}"), members))
            }
            (_, Some(_)) => Err(rule_broken(format!("Json schema is not allowed for type {kind}"), members)),
        }
    }
}

fn rule_broken(message: String, members: JsonObject) -> ValidationError {
    ValidationError::new("value_error", message, Json::Object(members))
}

impl JsonSchema for ResponseFormat {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ResponseFormat")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = RecordSchema::new(generator, &["The form in which a model is to answer."]);
        schema.field::<ResponseFormatType>(Field {
            if_absent: IfAbsent::Value(Json::from(ResponseFormatType::default().as_str())),
            ..field("type", &["The kind of answer."])
        });
        schema.field::<Option<JsonSchemaFormat>>(field(
            "json_schema",
            &["The form of the JSON: needed for the type `json_schema`, and null for all others."],
        ));
        schema.finish()
    }
}

fn field(name: &'static str, doc: &'static [&'static str]) -> Field {
    Field { name, doc, if_absent: IfAbsent::Null, alias: None, range: None, constant: None }
}

/// The form in which a model is to answer, possibly by its name alone.
#[derive(Clone, Debug, PartialEq)]
pub enum ResponseFormatOrName {
    /// The form.
    Format(ResponseFormat),
    /// The name of a form, which goes to the model server as it is.
    Name(String),
}

impl Default for ResponseFormatOrName {
    fn default() -> Self {
        ResponseFormatOrName::Format(ResponseFormat::default())
    }
}

impl Serialize for ResponseFormatOrName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ResponseFormatOrName::Format(format) => format.serialize(serializer),
            ResponseFormatOrName::Name(name) => name.serialize(serializer),
        }
    }
}

impl FromJson for ResponseFormatOrName {
    fn from_json(json: Json) -> Decoded<Self> {
        match json {
            Json::String(name) => Ok(ResponseFormatOrName::Name(name)),
            Json::Object(_) => ResponseFormat::from_json(json).map(ResponseFormatOrName::Format),
            other => Err(ValidationError::new("model_type", "expected an object or a string", other)),
        }
    }
}

impl JsonSchema for ResponseFormatOrName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ResponseFormatOrName")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let alternatives = [generator.subschema_for::<ResponseFormat>(), generator.subschema_for::<String>()];
        untagged_union(&["The form of the answer."], &alternatives)
    }
}

deserialize_from_json!(ResponseFormat, ResponseFormatOrName);
