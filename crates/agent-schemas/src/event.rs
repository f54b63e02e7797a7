//! Events: what a run's log is made of.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::content::Content;
use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json};
use crate::json::{Json, ParseError, parse_with_depth};
use crate::message::Message;
use crate::response::AgentResponse;
use crate::status::Status;
use crate::union::tagged_union;

/// One entry of a run's log. `object` on the wire says which.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The run changed its state.
    Response(AgentResponse),
    /// A message was opened or closed.
    Message(Message),
    /// A content grew or was closed.
    Content(Content),
    /// Something that this version does not know, kept as it came.
    Other(Json),
}

/// How deep an event may nest. More than any request: an agent may put what it was sent into what it writes.
const EVENT_DEPTH: usize = 640;

/// Why bytes are not an event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// They are not UTF-8.
    #[error("the event is not UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
    /// They are not JSON.
    #[error("the event is not JSON")]
    Json(#[from] ParseError),
    /// They are JSON of another form.
    #[error("the event has a wrong form")]
    Form(#[from] ValidationError),
}

fn read<T: FromJson>(json: &[u8]) -> Result<T, DecodeError> {
    Ok(T::from_json(parse_with_depth(std::str::from_utf8(json)?, EVENT_DEPTH)?)?)
}

impl Message {
    /// Reads the JSON text of one message, which may nest as deep as an event.
    ///
    /// # Errors
    /// [`DecodeError`] if the text is not JSON, or no message.
    pub fn from_slice(json: &[u8]) -> Result<Self, DecodeError> {
        read(json)
    }

    /// Reads the JSON text of an array of messages, which may nest as deep as an event.
    ///
    /// # Errors
    /// [`DecodeError`] if the text is not JSON, or something in it is no message.
    pub fn list_from_slice(json: &[u8]) -> Result<Vec<Self>, DecodeError> {
        read(json)
    }
}

impl Event {
    /// Reads the JSON text of one event.
    ///
    /// # Errors
    /// [`DecodeError`] if the text is not JSON, or says that it is a known object and does not have its form.
    pub fn from_slice(json: &[u8]) -> Result<Self, DecodeError> {
        read(json)
    }

    /// The number in its run.
    pub fn sequence_number(&self) -> Option<i64> {
        match self {
            Event::Response(response) => response.sequence_number,
            Event::Message(message) => message.sequence_number,
            Event::Content(content) => content.sequence_number,
            Event::Other(json) => json.get("sequence_number")?.as_i64(),
        }
    }

    /// Gives the event its number in its run. An unknown event gets it too, if it is an object.
    pub fn set_sequence_number(&mut self, number: i64) {
        match self {
            Event::Response(response) => response.sequence_number = Some(number),
            Event::Message(message) => message.sequence_number = Some(number),
            Event::Content(content) => content.sequence_number = Some(number),
            Event::Other(Json::Object(members)) => {
                members.insert("sequence_number".to_owned(), Json::from(number));
            }
            Event::Other(_) => {}
        }
    }

    /// Whether this is the last event of a log: a response with a final status.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Event::Response(response) if response.status.is_final())
    }

    /// The status, where the event has one.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Event::Response(response) => Some(&response.status),
            Event::Message(message) => Some(&message.status),
            Event::Content(content) => content.status.as_ref(),
            Event::Other(_) => None,
        }
    }
}

impl From<AgentResponse> for Event {
    fn from(response: AgentResponse) -> Self {
        Event::Response(response)
    }
}

impl From<Message> for Event {
    fn from(message: Message) -> Self {
        Event::Message(message)
    }
}

impl From<Content> for Event {
    fn from(content: Content) -> Self {
        Event::Content(content)
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Event::Response(response) => response.serialize(serializer),
            Event::Message(message) => message.serialize(serializer),
            Event::Content(content) => content.serialize(serializer),
            Event::Other(json) => json.serialize(serializer),
        }
    }
}

impl FromJson for Event {
    fn from_json(json: Json) -> Decoded<Self> {
        let object = json.get("object").and_then(Json::as_str).unwrap_or_default();
        // Contents of kinds that a newer peer may send are kept too, not refused.
        let known_content =
            || json.get("type").and_then(Json::as_str).and_then(crate::ContentBody::empty).is_some();
        match object {
            "response" => AgentResponse::from_json(json).map(Event::Response),
            "message" => Message::from_json(json).map(Event::Message),
            "content" if known_content() => Content::from_json(json).map(Event::Content),
            _ if json.as_object().is_some() => Ok(Event::Other(json)),
            _ => Err(ValidationError::new("dict_type", "expected an event object", json)),
        }
    }
}

impl JsonSchema for Event {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Event")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let doc = [
            "One entry of a run's log; `object` says which. The numbers begin at 0 and have no gaps; the last event",
            "is a response with a final status. A later version may add kinds of events: ignore those unknown to you.",
        ];
        let alternatives = [
            ("response", generator.subschema_for::<AgentResponse>()),
            ("message", generator.subschema_for::<Message>()),
            ("content", generator.subschema_for::<Content>()),
        ];
        tagged_union(&doc, "object", &alternatives)
    }
}

deserialize_from_json!(Event);
