//! Contents: the parts of a message.

mod body;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json, member};
use crate::error::ErrorBody;
use crate::json::{Json, JsonObject};
use crate::status::Status;

pub use self::body::ContentBody;
use self::body::any_content;

/// A part of a message, or an event that updates one.
///
/// In an event, `delta: true` means that the body is appended to the content named by `msg_id` and `index`; otherwise
/// the body is the whole value so far. On the wire every field is present in the order of this struct, with `type`
/// before `index` and the body's own fields last.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Content {
    /// The event's sequence number within its run.
    pub sequence_number: Option<i64>,
    /// Always `"content"` when written by this library.
    pub object: Cow<'static, str>,
    /// The status of the content.
    pub status: Option<Status>,
    /// The error, if the content failed.
    pub error: Option<ErrorBody>,
    /// The position in the message, starting at 0.
    pub index: Option<i64>,
    /// Whether the body is appended to the existing value.
    pub delta: Option<bool>,
    /// The id of the message that contains it.
    pub msg_id: Option<String>,
    /// The body.
    pub body: ContentBody,
}

impl Content {
    /// A content without status, index and message id, as a client writes it.
    pub fn new(body: ContentBody) -> Self {
        Content {
            sequence_number: None,
            object: Cow::Borrowed("content"),
            status: None,
            error: None,
            index: None,
            delta: Some(false),
            msg_id: None,
            body,
        }
    }

    /// A text content.
    pub fn text(text: impl Into<String>) -> Self {
        Content::new(ContentBody::Text { text: Some(text.into()) })
    }

    /// A data content.
    pub fn data(data: JsonObject) -> Self {
        Content::new(ContentBody::Data { data: Some(data) })
    }

    /// An image content.
    pub fn image(image_url: impl Into<String>) -> Self {
        Content::new(ContentBody::Image { image_url: Some(image_url.into()) })
    }

    /// The text of a text content.
    pub fn as_text(&self) -> Option<&str> {
        match &self.body {
            ContentBody::Text { text } => text.as_deref(),
            _ => None,
        }
    }

    /// The object of a data content.
    pub fn as_data(&self) -> Option<&JsonObject> {
        match &self.body {
            ContentBody::Data { data } => data.as_ref(),
            _ => None,
        }
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        out.serialize_entry("sequence_number", &self.sequence_number)?;
        out.serialize_entry("object", &self.object)?;
        out.serialize_entry("status", &self.status)?;
        out.serialize_entry("error", &self.error)?;
        out.serialize_entry("type", self.body.type_name())?;
        out.serialize_entry("index", &self.index)?;
        out.serialize_entry("delta", &self.delta)?;
        out.serialize_entry("msg_id", &self.msg_id)?;
        self.body.serialize_into(&mut out)?;
        out.end()
    }
}

impl FromJson for Content {
    fn from_json(json: Json) -> Decoded<Self> {
        let members = match json {
            Json::Object(members) => members,
            other => {
                return Err(ValidationError::new(
                    "model_attributes_type",
                    "expected a content object",
                    other,
                ));
            }
        };
        let body = body_of_type(&members)?;
        let mut content = Content::new(body);
        for (key, value) in members {
            match key.as_str() {
                "sequence_number" => content.sequence_number = member(&key, value)?,
                "object" => content.object = Cow::Owned(member(&key, value)?),
                "status" => content.status = member(&key, value)?,
                "error" => content.error = member(&key, value)?,
                "index" => content.index = member(&key, value)?,
                "delta" => content.delta = member(&key, value)?,
                "msg_id" => content.msg_id = member(&key, value)?,
                _ => content.body.read_member(&key, value)?,
            }
        }
        Ok(content)
    }
}

/// An empty body of the type that the object names.
fn body_of_type(members: &JsonObject) -> Decoded<ContentBody> {
    let whole = || Json::Object(members.clone());
    let expected = ContentBody::TYPES.join(", ");
    let Some(type_value) = members.get("type") else {
        let message = format!("a content needs a 'type', one of: {expected}");
        return Err(ValidationError::new("union_tag_not_found", message, whole()));
    };
    type_value.as_str().and_then(ContentBody::empty).ok_or_else(|| {
        let message = format!("'type' is {type_value}, expected one of: {expected}");
        ValidationError::new("union_tag_invalid", message, whole())
    })
}

impl JsonSchema for Content {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Content")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        any_content(generator, &["A part of a message, or an event that updates one. `type` names its kind."])
    }
}

deserialize_from_json!(Content);
