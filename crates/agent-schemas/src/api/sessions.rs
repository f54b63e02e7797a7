//! Sessions as the server lists them.

use crate::json::JsonObject;
use crate::message::Message;
use crate::record::record;

record! {
    /// A session without its messages.
    #[example(r#"{
        "id": "s-1", "user_id": "u-1", "title": "Figs", "metadata": {}, "message_count": 4,
        "created_at": 1800000000, "updated_at": 1800000060
    }"#)]
    pub struct SessionInfo {
        /// The session id, unique per user.
        id: String = required,
        /// The user id.
        user_id: String = required,
        /// The title that the user chose.
        title: Option<String>,
        /// Application-defined metadata.
        metadata: JsonObject => JsonObject::new(),
        /// The number of messages.
        message_count: i64 => 0,
        /// When it was created, in Unix seconds.
        created_at: i64 => 0,
        /// When it was last changed or appended to, in Unix seconds.
        updated_at: i64 => 0,
    }
}

record! {
    /// A page of a user's sessions, newest first.
    pub struct SessionPage {
        /// The sessions.
        data: Vec<SessionInfo> = required,
        /// The `after` parameter for the next page; null on the last page.
        next: Option<String>,
    }
}

record! {
    /// A page of a session's messages, in order.
    pub struct MessagePage {
        /// The messages.
        data: Vec<Message> = required,
        /// The position of the first message on this page, starting at 0.
        first: i64 => 0,
        /// The `from` parameter for the next page; null on the last page.
        next: Option<i64>,
    }
}

record! {
    /// A change to a session. Absent fields stay unchanged.
    #[example(r#"{"title": "Figs"}"#)]
    pub struct SessionChange {
        /// The new title; null removes it.
        title: Option<String>,
        /// The new metadata, which replaces the old.
        metadata: Option<JsonObject>,
    }
}

record! {
    /// Messages to append to a session.
    #[example(r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}], "key": "import-1"}"#)]
    pub struct MessageAppend {
        /// The messages, in order. A message without an id gets one.
        messages: Vec<Message> = required,
        /// An idempotency key: a second request with the same key appends nothing.
        key: Option<String>,
        /// Whether to skip messages whose id is already in the session.
        skip_known: bool => false,
    }
}

record! {
    /// The result of an append.
    pub struct MessagesAppended {
        /// The position of the first appended message, or the next free position.
        first: i64 => 0,
        /// How many messages were appended; 0 if the key was known.
        count: i64 => 0,
    }
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
