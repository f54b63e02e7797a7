//! Placeholders for stored data that cannot be read: one damaged item must not make the rest of a list unreadable.

use std::fmt::Display;

#[cfg(any(feature = "sqlite", feature = "redis"))]
use agent_schemas::JsonObject;
use agent_schemas::{Message, MessageType, Role, Status};

/// A message that was read. If it cannot be read, this logs that and returns a message of type `error` instead.
/// `what` names the kind of its container, and `place` its number there.
pub(crate) fn message(what: &str, place: u64, read: Result<Message, impl Display>) -> Message {
    read.unwrap_or_else(|error| {
        tracing::error!(place, error = %error, "a message of a {what} cannot be read");
        let mut damaged = Message::new(format!("msg_damaged_{place}"), MessageType::Error);
        damaged.role = Some(Role::Assistant);
        damaged.status = Status::Incomplete;
        damaged.code = Some("MESSAGE_DAMAGED".to_owned());
        damaged.message = Some("The stored data of this message cannot be read".to_owned());
        damaged
    })
}

/// Metadata that was read. If it cannot be read, this logs that and returns none.
#[cfg(any(feature = "sqlite", feature = "redis"))]
pub(crate) fn metadata(session: &str, read: Result<JsonObject, impl Display>) -> JsonObject {
    read.unwrap_or_else(|error| {
        tracing::error!(session.id = session, error = %error, "the metadata of a session cannot be read");
        JsonObject::new()
    })
}
