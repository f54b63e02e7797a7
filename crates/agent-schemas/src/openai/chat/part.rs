//! The parts of a message: text, images and audio.

use std::borrow::Cow;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json};
use crate::json::Json;
use crate::record::members;
use crate::string_enum::{closed_enum, literal};
use crate::union::tagged_union;

literal! {
    /// The type of a text part.
    pub struct TextPartType = "text";
}

literal! {
    /// The type of an image part.
    pub struct ImagePartType = "image_url";
}

literal! {
    /// The type of an audio part.
    pub struct AudioPartType = "input_audio";
}

/// A text in a message.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct TextMessageContent {
    /// Always `text`.
    #[record(name = "type", required)]
    pub kind: TextPartType,
    /// The text.
    #[record(required)]
    pub text: String,
}

/// An image in a message.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ImageMessageContent {
    /// Always `image_url`.
    #[record(name = "type", required)]
    pub kind: ImagePartType,
    /// The image.
    #[record(required)]
    pub image_url: ImageUrl,
}

/// The location of an image, and the detail level.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ImageUrl {
    /// A URL, or a `data:` URL that contains the image.
    #[record(required)]
    pub url: String,
    /// The detail level.
    #[record(default = ImageDetail::Low)]
    pub detail: ImageDetail,
}

closed_enum! {
    /// The level of detail at which a model processes an image.
    pub enum ImageDetail {
        /// The model decides.
        Auto = "auto",
        /// A low-resolution copy: fast and cheap.
        Low = "low",
        /// Full resolution: uses more tokens.
        High = "high",
    }
}

/// Audio in a message.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct AudioMessageContent {
    /// Always `input_audio`.
    #[record(name = "type", required)]
    pub kind: AudioPartType,
    /// The audio.
    #[record(required)]
    pub input_audio: InputAudioDetail,
}

/// Audio and its format.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct InputAudioDetail {
    /// The audio in Base64.
    #[record(alias = "data", default)]
    pub base64_data: String,
    /// `mp3`, `wav`, …
    #[record(default = "mp3".to_owned())]
    pub format: String,
}

impl InputAudioDetail {
    /// The audio as a `data:` URL. Data that is already a URL is returned unchanged.
    pub fn data_url(&self) -> String {
        let data = &self.base64_data;
        if ["data:", "http://", "https://"].iter().any(|scheme| data.starts_with(scheme)) {
            return data.clone();
        }
        let subtype = if self.format == "mp3" { "mpeg" } else { &self.format };
        format!("data:audio/{subtype};base64,{data}")
    }
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MessageContentPart {
    /// A text.
    Text(TextMessageContent),
    /// An image.
    Image(ImageMessageContent),
    /// Audio.
    Audio(AudioMessageContent),
}

impl MessageContentPart {
    const TYPES: [&'static str; 3] = ["text", "image_url", "input_audio"];

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        MessageContentPart::Text(TextMessageContent { kind: TextPartType, text: text.into() })
    }

    /// An image, by its URL.
    pub fn image(url: impl Into<String>, detail: ImageDetail) -> Self {
        let image_url = ImageUrl { url: url.into(), detail };
        MessageContentPart::Image(ImageMessageContent { kind: ImagePartType, image_url })
    }

    /// Audio, as Base64.
    pub fn audio(base64_data: impl Into<String>, format: impl Into<String>) -> Self {
        let input_audio = InputAudioDetail { base64_data: base64_data.into(), format: format.into() };
        MessageContentPart::Audio(AudioMessageContent { kind: AudioPartType, input_audio })
    }

    /// The text of a text part.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            MessageContentPart::Text(part) => Some(&part.text),
            MessageContentPart::Image(_) | MessageContentPart::Audio(_) => None,
        }
    }

    /// The image of an image part.
    pub fn as_image(&self) -> Option<&ImageUrl> {
        match self {
            MessageContentPart::Image(part) => Some(&part.image_url),
            MessageContentPart::Text(_) | MessageContentPart::Audio(_) => None,
        }
    }

    /// The audio of an audio part.
    pub fn as_audio(&self) -> Option<&InputAudioDetail> {
        match self {
            MessageContentPart::Audio(part) => Some(&part.input_audio),
            MessageContentPart::Text(_) | MessageContentPart::Image(_) => None,
        }
    }
}

impl Serialize for MessageContentPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            MessageContentPart::Text(part) => part.serialize(serializer),
            MessageContentPart::Image(part) => part.serialize(serializer),
            MessageContentPart::Audio(part) => part.serialize(serializer),
        }
    }
}

impl FromJson for MessageContentPart {
    fn from_json(json: Json) -> Decoded<Self> {
        let members = members(json)?;
        let type_value = members.get("type").cloned();
        let json = Json::Object(members);
        let expected = MessageContentPart::TYPES.join(", ");
        match type_value.as_ref().map(Json::as_str) {
            Some(Some("text")) => FromJson::from_json(json).map(MessageContentPart::Text),
            Some(Some("image_url")) => FromJson::from_json(json).map(MessageContentPart::Image),
            Some(Some("input_audio")) => FromJson::from_json(json).map(MessageContentPart::Audio),
            Some(_) => {
                let message = format!("'type' must be one of: {expected}");
                Err(ValidationError::new("union_tag_invalid", message, json))
            }
            None => {
                let message = format!("a content part needs a 'type', one of: {expected}");
                Err(ValidationError::new("union_tag_not_found", message, json))
            }
        }
    }
}

impl JsonSchema for MessageContentPart {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("MessageContentPart")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let schemas = [
            generator.subschema_for::<TextMessageContent>(),
            generator.subschema_for::<ImageMessageContent>(),
            generator.subschema_for::<AudioMessageContent>(),
        ];
        let alternatives: Vec<_> = MessageContentPart::TYPES.into_iter().zip(schemas).collect();
        tagged_union(&["One part of a message. `type` names its kind."], "type", &alternatives)
    }
}

deserialize_from_json!(MessageContentPart);
