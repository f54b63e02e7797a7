//! Events without what they only repeat.
//!
//! A message that closes has its contents once more, and the final response has all messages. Who has read the log up to
//! there need not decode them again.

use serde::Deserialize;

use crate::error::ErrorBody;
use crate::event::Event;
use crate::json::{Json, JsonObject};
use crate::message::{Message, Role};
use crate::response::AgentResponse;
use crate::status::Status;

/// The members of both, without the long ones.
#[derive(Deserialize)]
struct Head {
    sequence_number: Option<i64>,
    object: String,
    status: Status,
    error: Option<ErrorBody>,
    #[serde(default)]
    id: String,
    r#type: Option<String>,
    role: Option<Role>,
    code: Option<String>,
    message: Option<String>,
    created_at: Option<i64>,
    completed_at: Option<i64>,
    usage: Option<Json>,
    metadata: Option<Json>,
    session_id: Option<String>,
}

impl Event {
    /// Reads a message without its contents, or a response without its output; `None` for all else, and for what
    /// [`Event::from_slice`] has to look at.
    pub fn head_from_slice(json: &[u8]) -> Option<Self> {
        let head: Head = serde_json::from_slice(json).ok()?;
        match head.object.as_str() {
            "message" => {
                let mut message = Message::new(head.id, head.r#type.as_deref()?.into());
                message.sequence_number = head.sequence_number;
                (message.status, message.error, message.role) = (head.status, head.error, head.role);
                (message.code, message.message) = (head.code, head.message);
                (message.usage, message.metadata) = (object(head.usage)?, object(head.metadata)?);
                Some(message.into())
            }
            "response" => {
                let mut response = AgentResponse::new(head.id, head.created_at?);
                response.sequence_number = head.sequence_number;
                (response.status, response.error) = (head.status, head.error);
                (response.completed_at, response.session_id) = (head.completed_at, head.session_id);
                response.usage = object(head.usage)?;
                Some(response.into())
            }
            _ => None,
        }
    }
}

/// An object or null; `None` for anything else.
fn object(json: Option<Json>) -> Option<Option<JsonObject>> {
    match json {
        None | Some(Json::Null) => Some(None),
        Some(Json::Object(members)) => Some(Some(members)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, MessageType, object};

    fn head(event: impl Into<Event>) -> Option<Event> {
        Event::head_from_slice(&serde_json::to_vec(&event.into()).unwrap())
    }

    #[test]
    fn all_but_the_contents_is_there() {
        let mut message = Message::new("msg_1", MessageType::Error);
        (message.role, message.status) = (Some(Role::Assistant), Status::Failed);
        message.error = Some(ErrorBody { code: "c".to_owned(), message: "m".to_owned() });
        (message.code, message.message) = (Some("c".to_owned()), Some("m".to_owned()));
        (message.usage, message.metadata) = (Some(object! { "a" => 1 }), Some(object! { "b" => "x" }));
        message.sequence_number = Some(7);
        let expected = Event::from(message.clone());
        message.content = Some(vec![Content::text("long"), Content::data(object! { "deep" => Vec::new() })]);
        assert_eq!(head(message), Some(expected));
    }

    #[test]
    fn all_but_the_output_is_there() {
        let mut response = AgentResponse::new("response_1", 7);
        (response.status, response.completed_at) = (Status::Completed, Some(8));
        (response.usage, response.session_id) = (Some(object! { "a" => 1 }), Some("s".to_owned()));
        let expected = Event::from(response.clone());
        response.output = Some(vec![Message::user("long")]);
        assert_eq!(head(response), Some(expected));
    }

    #[test]
    fn all_else_is_left_alone() {
        assert_eq!(head(Content::text("a")), None);
        for other in [
            "",
            "{}",
            r#"{"object":"message","status":"completed","type":7}"#,
            r#"{"object":"other","status":"x"}"#,
        ] {
            assert_eq!(Event::head_from_slice(other.as_bytes()), None, "{other}");
        }
    }
}
