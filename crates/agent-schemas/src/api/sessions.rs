//! Sessions as the server lists them.

use agent_schemas_derive::Record;

use crate::json::JsonObject;
use crate::message::Message;

/// A session without its messages.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{
    "id": "s-1", "user_id": "u-1", "title": "Figs", "metadata": {}, "message_count": 4,
    "created_at": 1800000000, "updated_at": 1800000060
}"#)]
pub struct SessionInfo {
    /// The session id, unique per user.
    #[record(required)]
    pub id: String,
    /// The user id.
    #[record(required)]
    pub user_id: String,
    /// The title that the user chose.
    pub title: Option<String>,
    /// Application-defined metadata.
    #[record(default)]
    pub metadata: JsonObject,
    /// The number of messages that were stored, with those that were deleted since.
    #[record(default)]
    pub message_count: i64,
    /// When it was created, in Unix seconds.
    #[record(default)]
    pub created_at: i64,
    /// When it was last changed or appended to, in Unix seconds.
    #[record(default)]
    pub updated_at: i64,
}

/// A page of a user's sessions, newest first.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct SessionPage {
    /// The sessions.
    #[record(required)]
    pub data: Vec<SessionInfo>,
    /// The `after` parameter for the next page; null on the last page.
    pub next: Option<String>,
}

/// A page of a session's messages, in order.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct MessagePage {
    /// The messages.
    #[record(required)]
    pub data: Vec<Message>,
    /// The position of the first message on this page, starting at 0.
    #[record(default)]
    pub first: i64,
    /// The `from` parameter for the next page; null on the last page.
    pub next: Option<i64>,
}

/// A change to a session. Absent fields stay unchanged.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{"title": "Figs"}"#)]
pub struct SessionChange {
    /// The new title; null removes it.
    pub title: Option<String>,
    /// The new metadata, which replaces the old.
    pub metadata: Option<JsonObject>,
}

/// Messages to append to a session.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(
    example = r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}], "key": "import-1"}"#
)]
pub struct MessageAppend {
    /// The messages, in order. A message without an id gets one.
    #[record(required)]
    pub messages: Vec<Message>,
    /// An idempotency key: a second request with the same key appends nothing.
    pub key: Option<String>,
    /// Whether to skip messages whose id is already in the session.
    #[record(default)]
    pub skip_known: bool,
}

/// The result of an append.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct MessagesAppended {
    /// The position of the first appended message, or the next free position.
    #[record(default)]
    pub first: i64,
    /// How many messages were appended; 0 if the key was known.
    #[record(default)]
    pub count: i64,
}

impl MessageAppend {
    /// Reads and checks the messages to append.
    ///
    /// # Errors
    /// The first error, with its location.
    pub fn from_json(json: crate::Json) -> Result<Self, crate::ValidationError> {
        <Self as crate::decode::FromJson>::from_json(json)
    }
}

impl SessionChange {
    /// Reads and checks a change.
    ///
    /// # Errors
    /// The first error, with its location.
    pub fn from_json(json: crate::Json) -> Result<Self, crate::ValidationError> {
        <Self as crate::decode::FromJson>::from_json(json)
    }
}
