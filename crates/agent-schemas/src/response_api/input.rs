//! The input to a model.

use std::borrow::Cow;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json, member, missing};
use crate::json::{Json, JsonObject};
use crate::record::members;
use crate::string_enum::{closed_enum, literal};
use crate::union::{tagged_union, untagged_union};

/// The input to a model.
#[derive(Clone, Debug, PartialEq)]
pub enum ResponseInput {
    /// A user text.
    Text(String),
    /// A conversation.
    Messages(Vec<ResponseInputMessage>),
}

/// A message to a model.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ResponseInputMessage {
    /// Its parts.
    #[record(required)]
    pub content: Vec<ResponseInputPart>,
    /// The author's role.
    #[record(required)]
    pub role: ResponseInputRole,
    /// The status, if the message comes from an earlier response.
    #[record(omitted)]
    pub status: Option<ResponseInputStatus>,
    /// Always `"message"`.
    #[record(name = "type", omitted)]
    pub kind: Option<MessageTag>,
}

closed_enum! {
    /// The role of an author. User messages have lower priority than the others.
    pub enum ResponseInputRole {
        /// The user.
        User = "user",
        /// The application.
        System = "system",
        /// The application, under its newer name.
        Developer = "developer",
    }
}

closed_enum! {
    /// The status of a message from an earlier response.
    pub enum ResponseInputStatus {
        /// In progress.
        InProgress = "in_progress",
        /// Complete.
        Completed = "completed",
        /// Ended before it was complete.
        Incomplete = "incomplete",
    }
}

/// A part of a message to a model.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ResponseInputPart {
    /// Text.
    Text(ResponseInputText),
    /// An image.
    Image(ResponseInputImage),
    /// A file.
    File(ResponseInputFile),
    /// A part of another `type`, kept unchanged. Only produced by reading.
    #[non_exhaustive]
    Other {
        /// The whole part.
        part: JsonObject,
    },
}

/// Text.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ResponseInputText {
    /// The text.
    #[record(required)]
    pub text: String,
    /// Always `"input_text"`.
    #[record(name = "type", required)]
    pub kind: InputTextTag,
}

/// An image, given by one of its fields.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ResponseInputImage {
    /// The detail level: `low`, `high` or `auto`.
    #[record(omitted)]
    pub detail: Option<String>,
    /// Always `"input_image"`.
    #[record(name = "type", required)]
    pub kind: InputImageTag,
    /// The id of an uploaded image.
    #[record(omitted)]
    pub file_id: Option<String>,
    /// A URL, or a `data:` URL that contains the image.
    #[record(omitted)]
    pub image_url: Option<String>,
}

/// A file, given by one of its fields.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ResponseInputFile {
    /// Always `"input_file"`.
    #[record(name = "type", required)]
    pub kind: InputFileTag,
    /// A `data:` URL that contains the file.
    #[record(omitted)]
    pub file_data: Option<String>,
    /// The id of an uploaded file.
    #[record(omitted)]
    pub file_id: Option<String>,
    /// The URL of the file.
    #[record(omitted)]
    pub file_url: Option<String>,
    /// The file name.
    #[record(omitted)]
    pub filename: Option<String>,
}

literal! {
    /// The `type` of a [`ResponseInputMessage`].
    pub struct MessageTag = "message";
}

literal! {
    /// The `type` of a [`ResponseInputText`].
    pub struct InputTextTag = "input_text";
}

literal! {
    /// The `type` of a [`ResponseInputImage`].
    pub struct InputImageTag = "input_image";
}

literal! {
    /// The `type` of a [`ResponseInputFile`].
    pub struct InputFileTag = "input_file";
}

impl Default for ResponseInput {
    fn default() -> Self {
        ResponseInput::Text(String::new())
    }
}

impl Serialize for ResponseInput {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ResponseInput::Text(text) => text.serialize(serializer),
            ResponseInput::Messages(messages) => messages.serialize(serializer),
        }
    }
}

impl Serialize for ResponseInputPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ResponseInputPart::Text(text) => text.serialize(serializer),
            ResponseInputPart::Image(image) => image.serialize(serializer),
            ResponseInputPart::File(file) => file.serialize(serializer),
            ResponseInputPart::Other { part } => part.serialize(serializer),
        }
    }
}

impl FromJson for ResponseInput {
    fn from_json(json: Json) -> Decoded<Self> {
        match json {
            Json::String(text) => Ok(ResponseInput::Text(text)),
            Json::Array(_) => Vec::from_json(json).map(ResponseInput::Messages),
            other => {
                Err(ValidationError::new("string_type", "expected a string or an array of messages", other))
            }
        }
    }
}

impl FromJson for ResponseInputPart {
    fn from_json(json: Json) -> Decoded<Self> {
        let part = members(json)?;
        let Some(kind) = part.get("type").cloned() else {
            return Err(missing("type", Json::Object(part)));
        };
        let kind: String = member("type", kind)?;
        match kind.as_str() {
            "input_text" => FromJson::from_json(part.into()).map(ResponseInputPart::Text),
            "input_image" => FromJson::from_json(part.into()).map(ResponseInputPart::Image),
            "input_file" => FromJson::from_json(part.into()).map(ResponseInputPart::File),
            _ => Ok(ResponseInputPart::Other { part }),
        }
    }
}

impl JsonSchema for ResponseInput {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ResponseInput")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let messages = generator.subschema_for::<Vec<ResponseInputMessage>>();
        untagged_union(&["The input to a model."], &[generator.subschema_for::<String>(), messages])
    }
}

impl JsonSchema for ResponseInputPart {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ResponseInputPart")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let alternatives = [
            ("input_text", generator.subschema_for::<ResponseInputText>()),
            ("input_image", generator.subschema_for::<ResponseInputImage>()),
            ("input_file", generator.subschema_for::<ResponseInputFile>()),
        ];
        tagged_union(&["A part of a message to a model. `type` names its kind."], "type", &alternatives)
    }
}

deserialize_from_json!(ResponseInput, ResponseInputPart);
