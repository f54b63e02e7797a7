//! Sessions as the server lists them.

use agent_schemas_derive::Record;

use crate::json::JsonObject;
use crate::message::Message;

/// What is known of a session besides its messages.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{
    "id": "s-1", "user_id": "u-1", "title": "Figs", "metadata": {}, "message_count": 4,
    "created_at": 1800000000, "updated_at": 1800000060
}"#)]
pub struct SessionInfo {
    /// Names the session among those of its user.
    #[record(required)]
    pub id: String,
    /// Whose session it is.
    #[record(required)]
    pub user_id: String,
    /// What its user calls it.
    pub title: Option<String>,
    /// Anything the application wants to keep with it.
    #[record(default)]
    pub metadata: JsonObject,
    /// How many messages it has.
    #[record(default)]
    pub message_count: i64,
    /// When it was made, in Unix seconds.
    #[record(default)]
    pub created_at: i64,
    /// When it was last appended to or changed, in Unix seconds.
    #[record(default)]
    pub updated_at: i64,
}

/// A part of a user's sessions, the newest first.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct SessionPage {
    /// The sessions.
    #[record(required)]
    pub data: Vec<SessionInfo>,
    /// What to ask for as `after` to get the next part; null in the last one.
    pub next: Option<String>,
}

/// A part of a session's messages, in order.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct MessagePage {
    /// The messages.
    #[record(required)]
    pub data: Vec<Message>,
    /// The position of the first of them: how many messages are before it.
    #[record(default)]
    pub first: i64,
    /// What to ask for as `from` to get the next part; null in the last one.
    pub next: Option<i64>,
}

/// A change of a session. What is absent stays as it is.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{"title": "Figs"}"#)]
pub struct SessionChange {
    /// The new title; null takes it away.
    pub title: Option<String>,
    /// The new metadata, in place of the old.
    pub metadata: Option<JsonObject>,
}

/// Messages to be added to a session.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(
    example = r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}], "key": "import-1"}"#
)]
pub struct MessageAppend {
    /// The messages, in order. Each gets an id if it has none.
    #[record(required)]
    pub messages: Vec<Message>,
    /// Names the messages: a second request with the same key adds nothing.
    pub key: Option<String>,
    /// Whether messages whose id is in the session already are left out.
    #[record(default)]
    pub skip_known: bool,
}

/// What was added to a session.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct MessagesAppended {
    /// The position of the first message that was added, or where the next one will stand.
    #[record(default)]
    pub first: i64,
    /// How many were added; 0 if the key was known.
    #[record(default)]
    pub count: i64,
}

impl MessageAppend {
    /// Reads and checks what is to be added.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn from_json(json: crate::Json) -> Result<Self, crate::ValidationError> {
        <Self as crate::decode::FromJson>::from_json(json)
    }
}

impl SessionChange {
    /// Reads and checks a change.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn from_json(json: crate::Json) -> Result<Self, crate::ValidationError> {
        <Self as crate::decode::FromJson>::from_json(json)
    }
}
