//! The content of a message: one text, or parts.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use super::part::{InputAudioDetail, MessageContentPart};
use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json};
use crate::json::Json;
use crate::union::untagged_union;

/// The content of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageContent {
    /// One text.
    Text(String),
    /// Text, image and audio parts.
    Parts(Vec<MessageContentPart>),
}

/// A summary of a message's content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ContentSummary {
    /// 1 if there is text, in however many parts.
    pub text_count: usize,
    /// The number of images.
    pub image_count: usize,
    /// The number of audio parts.
    pub audio_count: usize,
}

impl MessageContent {
    /// The parts; empty if the content is one text.
    pub fn parts(&self) -> &[MessageContentPart] {
        match self {
            MessageContent::Text(_) => &[],
            MessageContent::Parts(parts) => parts,
        }
    }

    /// The text, or that of the first text part.
    pub fn text(&self) -> Option<&str> {
        match self {
            MessageContent::Text(text) => Some(text),
            MessageContent::Parts(parts) => parts.iter().find_map(MessageContentPart::as_text),
        }
    }

    /// The URLs of all images.
    pub fn images(&self) -> Vec<&str> {
        self.parts().iter().filter_map(MessageContentPart::as_image).map(|image| &*image.url).collect()
    }

    /// All audio parts as URLs.
    pub fn audios(&self) -> Vec<String> {
        self.parts().iter().filter_map(MessageContentPart::as_audio).map(InputAudioDetail::data_url).collect()
    }

    /// Whether there is anything other than text.
    pub fn is_multimodal(&self) -> bool {
        self.parts().iter().any(|part| part.as_text().is_none())
    }

    /// Summarizes the content.
    pub fn summary(&self) -> ContentSummary {
        let parts = self.parts().iter();
        ContentSummary {
            text_count: usize::from(self.text().is_some()),
            image_count: parts.clone().filter_map(MessageContentPart::as_image).count(),
            audio_count: parts.filter_map(MessageContentPart::as_audio).count(),
        }
    }
}

impl Serialize for MessageContent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            MessageContent::Text(text) => text.serialize(serializer),
            MessageContent::Parts(parts) => parts.serialize(serializer),
        }
    }
}

impl FromJson for MessageContent {
    fn from_json(json: Json) -> Decoded<Self> {
        match json {
            Json::String(text) => Ok(MessageContent::Text(text)),
            Json::Array(_) => Vec::from_json(json).map(MessageContent::Parts),
            other => Err(ValidationError::new("list_type", "expected an array of parts or a string", other)),
        }
    }
}

impl JsonSchema for MessageContent {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("MessageContent")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<String>();
        let parts = generator.subschema_for::<Vec<MessageContentPart>>();
        untagged_union(&["The content of a message."], &[text, parts])
    }
}

deserialize_from_json!(MessageContent);
