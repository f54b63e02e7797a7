//! Contents: the parts a message is made of.

use std::borrow::Cow;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json, member};
use crate::error::ErrorBody;
use crate::json::{Json, JsonObject};
use crate::status::Status;

/// A part of a message, or (as an event) news about one.
///
/// As an event, `delta: true` means that the body is to be appended to what `msg_id` and `index` name; otherwise it
/// is the whole value so far. On the wire every field is present, in the order of this struct, with `type` before
/// `index` and the body's own fields last.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Content {
    /// The event's number in its run.
    pub sequence_number: Option<i64>,
    /// Always `"content"` in what this library writes.
    pub object: Cow<'static, str>,
    /// Where the content stands.
    pub status: Option<Status>,
    /// Why it failed.
    pub error: Option<ErrorBody>,
    /// The position in its message, from 0.
    pub index: Option<i64>,
    /// Whether the body continues what was there before.
    pub delta: Option<bool>,
    /// The message it belongs to.
    pub msg_id: Option<String>,
    /// What it holds.
    pub body: ContentBody,
}

/// What a content holds. Closed for input: a request with another `type` is refused.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ContentBody {
    /// Text.
    Text {
        /// The text or its next part.
        text: Option<String>,
    },
    /// A picture.
    Image {
        /// A URL, or a `data:` URL with the picture itself.
        image_url: Option<String>,
    },
    /// Anything structured: tool calls, their outputs, data of the application.
    Data {
        /// A JSON object.
        data: Option<JsonObject>,
    },
    /// Sound.
    Audio {
        /// Base64 data or a URL.
        data: Option<String>,
        /// `wav`, `mp3`, …
        format: Option<String>,
    },
    /// A file, by one of its fields.
    File {
        /// Where it can be fetched.
        file_url: Option<String>,
        /// Its id where it was uploaded.
        file_id: Option<String>,
        /// Its name.
        filename: Option<String>,
        /// Its bytes in Base64 or as a `data:` URL.
        file_data: Option<String>,
    },
    /// The model's words of refusal.
    Refusal {
        /// The text or its next part.
        refusal: Option<String>,
    },
    /// A film.
    Video {
        /// A URL, or a `data:` URL with the film itself.
        video_url: Option<String>,
    },
}

impl ContentBody {
    /// The names that `type` may have, in the order of the variants.
    pub const TYPES: [&'static str; 7] = ["text", "image", "data", "audio", "file", "refusal", "video"];

    /// The `type` on the wire.
    pub fn type_name(&self) -> &'static str {
        match self {
            ContentBody::Text { .. } => "text",
            ContentBody::Image { .. } => "image",
            ContentBody::Data { .. } => "data",
            ContentBody::Audio { .. } => "audio",
            ContentBody::File { .. } => "file",
            ContentBody::Refusal { .. } => "refusal",
            ContentBody::Video { .. } => "video",
        }
    }

    /// A body of the named type whose fields are all null; `None` for a name that is none of [`Self::TYPES`].
    pub fn empty(type_name: &str) -> Option<Self> {
        Some(match type_name {
            "text" => ContentBody::Text { text: None },
            "image" => ContentBody::Image { image_url: None },
            "data" => ContentBody::Data { data: None },
            "audio" => ContentBody::Audio { data: None, format: None },
            "file" => ContentBody::File { file_url: None, file_id: None, filename: None, file_data: None },
            "refusal" => ContentBody::Refusal { refusal: None },
            "video" => ContentBody::Video { video_url: None },
            _ => return None,
        })
    }
}

impl Content {
    /// A content without status, index and message, as a client writes it.
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
        let mut out = serializer.serialize_struct("Content", 12)?;
        out.serialize_field("sequence_number", &self.sequence_number)?;
        out.serialize_field("object", &self.object)?;
        out.serialize_field("status", &self.status)?;
        out.serialize_field("error", &self.error)?;
        out.serialize_field("type", self.body.type_name())?;
        out.serialize_field("index", &self.index)?;
        out.serialize_field("delta", &self.delta)?;
        out.serialize_field("msg_id", &self.msg_id)?;
        match &self.body {
            ContentBody::Text { text } => out.serialize_field("text", text)?,
            ContentBody::Image { image_url } => out.serialize_field("image_url", image_url)?,
            ContentBody::Data { data } => out.serialize_field("data", data)?,
            ContentBody::Audio { data, format } => {
                out.serialize_field("data", data)?;
                out.serialize_field("format", format)?;
            }
            ContentBody::File { file_url, file_id, filename, file_data } => {
                out.serialize_field("file_url", file_url)?;
                out.serialize_field("file_id", file_id)?;
                out.serialize_field("filename", filename)?;
                out.serialize_field("file_data", file_data)?;
            }
            ContentBody::Refusal { refusal } => out.serialize_field("refusal", refusal)?,
            ContentBody::Video { video_url } => out.serialize_field("video_url", video_url)?,
        }
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
                _ => read_body_member(&mut content.body, &key, value)?,
            }
        }
        Ok(content)
    }
}

/// The empty body that the object's `type` asks for.
fn body_of_type(members: &JsonObject) -> Decoded<ContentBody> {
    let whole = || Json::Object(members.clone());
    let expected = ContentBody::TYPES.join(", ");
    let Some(type_value) = members.get("type") else {
        let message = format!("a content needs a 'type', one of: {expected}");
        return Err(ValidationError::new("union_tag_not_found", message, whole()));
    };
    type_value.as_str().and_then(ContentBody::empty).ok_or_else(|| {
        let message = format!("'type' is {type_value}, but should be one of: {expected}");
        ValidationError::new("union_tag_invalid", message, whole())
    })
}

fn read_body_member(body: &mut ContentBody, key: &str, value: Json) -> Decoded<()> {
    match (body, key) {
        (ContentBody::Text { text: field }, "text")
        | (ContentBody::Image { image_url: field }, "image_url")
        | (ContentBody::Audio { data: field, .. }, "data")
        | (ContentBody::Audio { format: field, .. }, "format")
        | (ContentBody::File { file_url: field, .. }, "file_url")
        | (ContentBody::File { file_id: field, .. }, "file_id")
        | (ContentBody::File { filename: field, .. }, "filename")
        | (ContentBody::File { file_data: field, .. }, "file_data")
        | (ContentBody::Refusal { refusal: field }, "refusal")
        | (ContentBody::Video { video_url: field }, "video_url") => *field = member(key, value)?,
        (ContentBody::Data { data }, "data") => *data = member(key, value)?,
        _ => {}
    }
    Ok(())
}

impl FromJson for Status {
    fn from_json(json: Json) -> Decoded<Self> {
        String::from_json(json).map(|text| Status::from(text.as_str()))
    }
}

deserialize_from_json!(Content, Status);
