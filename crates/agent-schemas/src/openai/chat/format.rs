//! The format of a model's answer.

use std::borrow::Cow;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json, member};
use crate::json::{Json, JsonObject};
use crate::record::{Field, IfAbsent, RecordSchema, members};
use crate::string_enum::not_among;
use crate::union::{tagged_union, untagged_union};

const TEXT: &str = "text";
const JSON_OBJECT: &str = "json_object";
const JSON_SCHEMA: &str = "json_schema";

/// The format of a model's answer.
///
/// On the wire `type` names it, and `json_schema` is null except in the last variant.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ResponseFormat {
    /// Text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that matches a schema.
    JsonSchema(JsonSchemaFormat),
}

/// The schema that a JSON answer must match.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct JsonSchemaFormat {
    /// The schema's name: letters, digits, `_` and `-`.
    #[record(required)]
    pub name: String,
    /// What the schema is for. The model reads it.
    pub description: Option<String>,
    /// The JSON Schema.
    #[record(alias = "schema_param")]
    pub schema: Option<JsonObject>,
    /// Whether the output must match the schema exactly. Servers then support only a subset of JSON Schema.
    #[record(default = Some(false))]
    pub strict: Option<bool>,
}

impl ResponseFormat {
    /// The format's name, its `type` on the wire.
    pub fn type_name(&self) -> &'static str {
        match self {
            ResponseFormat::Text => TEXT,
            ResponseFormat::JsonObject => JSON_OBJECT,
            ResponseFormat::JsonSchema(_) => JSON_SCHEMA,
        }
    }

    /// The schema that the answer must match, if there is one.
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
        out.serialize_entry("type", self.type_name())?;
        out.serialize_entry("json_schema", &self.json_schema())?;
        out.end()
    }
}

impl FromJson for ResponseFormat {
    fn from_json(json: Json) -> Decoded<Self> {
        let members = members(json)?;
        let value = |key: &str| members.get(key).cloned();
        let type_value = value("type").unwrap_or_else(|| Json::from(TEXT));
        let Some(kind @ (TEXT | JSON_OBJECT | JSON_SCHEMA)) = type_value.as_str() else {
            return Err(not_among(&[TEXT, JSON_OBJECT, JSON_SCHEMA], type_value).at("type"));
        };
        match (kind, member("json_schema", value("json_schema").unwrap_or_default())?) {
            (JSON_SCHEMA, Some(schema)) => Ok(ResponseFormat::JsonSchema(schema)),
            (JSON_SCHEMA, None) => Err(rule_broken("required", kind, &members)),
            (_, Some(JsonSchemaFormat { .. })) => Err(rule_broken("not allowed", kind, &members)),
            (JSON_OBJECT, None) => Ok(ResponseFormat::JsonObject),
            (_, None) => Ok(ResponseFormat::Text),
        }
    }
}

fn rule_broken(how: &str, kind: &str, members: &JsonObject) -> ValidationError {
    let message = format!("Json schema is {how} for type {kind}");
    ValidationError::new("value_error", message, Json::Object(members.clone()))
}

impl JsonSchema for ResponseFormat {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ResponseFormat")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let alternatives = [
            (TEXT, generator.subschema_for::<ResponseFormatText>()),
            (JSON_OBJECT, generator.subschema_for::<ResponseFormatJsonObject>()),
            (JSON_SCHEMA, generator.subschema_for::<ResponseFormatJsonSchema>()),
        ];
        tagged_union(
            &["The format of a model's answer. `type` names it; without it the answer is text."],
            "type",
            &alternatives,
        )
    }
}

/// Defines the schema of one format.
macro_rules! form_schema {
    ($name:ident, $type_name:expr, $schema:ty, $doc:literal, $schema_doc:literal) => {
        struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let mut schema = RecordSchema::new(generator, &[$doc]);
                if $type_name == TEXT {
                    schema.field::<String>(Field {
                        name: "type",
                        doc: &["The format's name."],
                        if_absent: IfAbsent::Value(Json::from(TEXT)),
                        alias: None,
                        range: None,
                        constant: Some(TEXT),
                    });
                } else {
                    schema.tag("type", $type_name);
                }
                schema.field::<$schema>(Field {
                    name: "json_schema",
                    doc: &[$schema_doc],
                    if_absent: if $type_name == JSON_SCHEMA { IfAbsent::Refused } else { IfAbsent::Null },
                    alias: None,
                    range: None,
                    constant: None,
                });
                schema.finish()
            }
        }
    };
}

form_schema!(ResponseFormatText, TEXT, (), "The answer is text.", "Always null.");
form_schema!(ResponseFormatJsonObject, JSON_OBJECT, (), "The answer is a JSON object.", "Always null.");
form_schema!(
    ResponseFormatJsonSchema,
    JSON_SCHEMA,
    JsonSchemaFormat,
    "The answer is JSON that matches a schema.",
    "The schema that the answer must match."
);

/// The format of a model's answer, possibly just its name.
#[derive(Clone, Debug, PartialEq)]
pub enum ResponseFormatOrName {
    /// The format as an object.
    Format(ResponseFormat),
    /// The name of a format, passed to the model server unchanged.
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
        untagged_union(&["The format of the answer."], &alternatives)
    }
}

deserialize_from_json!(ResponseFormat, ResponseFormatOrName);
