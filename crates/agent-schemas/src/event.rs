//! Events: the entries of a run's log.

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
    /// An event of a kind that this version does not know, kept unchanged.
    Other(Json),
}

/// The maximum nesting of an event. It exceeds that of a request because an agent may embed its input in its output.
const EVENT_DEPTH: usize = 640;

/// Why bytes are not a valid event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// They are not UTF-8.
    #[error("the event is not UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
    /// They are not JSON.
    #[error("the event is not JSON")]
    Json(#[from] ParseError),
    /// They are JSON, but not an event.
    #[error("the event does not match the schema")]
    Form(#[from] ValidationError),
}

fn read<T: FromJson>(json: &[u8]) -> Result<T, DecodeError> {
    Ok(T::from_json(parse_with_depth(std::str::from_utf8(json)?, EVENT_DEPTH)?)?)
}

impl Message {
    /// Reads a message from JSON text, which may nest as deeply as an event.
    ///
    /// # Errors
    /// [`DecodeError`] if the text is not JSON or not a message.
    pub fn from_slice(json: &[u8]) -> Result<Self, DecodeError> {
        read(json)
    }

    /// Reads an array of messages from JSON text, which may nest as deeply as an event.
    ///
    /// # Errors
    /// [`DecodeError`] if the text is not JSON or an item is not a message.
    pub fn list_from_slice(json: &[u8]) -> Result<Vec<Self>, DecodeError> {
        read(json)
    }
}

impl Event {
    /// Reads one event from JSON text.
    ///
    /// # Errors
    /// [`DecodeError`] if the text is not JSON, or names a known object but does not match its schema.
    pub fn from_slice(json: &[u8]) -> Result<Self, DecodeError> {
        read(json)
    }

    /// The event's sequence number within its run.
    pub fn sequence_number(&self) -> Option<i64> {
        match self {
            Event::Response(response) => response.sequence_number,
            Event::Message(message) => message.sequence_number,
            Event::Content(content) => content.sequence_number,
            Event::Other(json) => json.get("sequence_number")?.as_i64(),
        }
    }

    /// Sets the sequence number. An unknown event gets it too, if it is an object.
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

    /// The status, if the event has one.
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
        // Keep contents of unknown types: a newer upstream may send them.
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
            "One entry of a run's log; `object` names its kind. Sequence numbers start at 0 and have no gaps; the last",
            "event is a response with a final status. Later versions may add kinds; clients should ignore unknown ones.",
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
