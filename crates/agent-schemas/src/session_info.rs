//! Sessions as the server lists them.

use crate::json::JsonObject;
use crate::message::Message;
use crate::record::record;

record! {
    /// What is known of a session besides its messages.
    #[example(r#"{
        "id": "s-1", "user_id": "u-1", "title": "Figs", "metadata": {}, "message_count": 4,
        "created_at": 1800000000, "updated_at": 1800000060
    }"#)]
    pub struct SessionInfo {
        /// Names the session among those of its user.
        id: String = required,
        /// Whose session it is.
        user_id: String = required,
        /// What its user calls it.
        title: Option<String>,
        /// Anything the application wants to keep with it.
        metadata: JsonObject => JsonObject::new(),
        /// How many messages it has.
        message_count: i64 => 0,
        /// When it was made, in Unix seconds.
        created_at: i64 => 0,
        /// When it was last appended to or changed, in Unix seconds.
        updated_at: i64 => 0,
    }
}

record! {
    /// A part of a user's sessions, the newest first.
    pub struct SessionPage {
        /// The sessions.
        data: Vec<SessionInfo> = required,
        /// What to ask for as `after` to get the next part; null in the last one.
        next: Option<String>,
    }
}

record! {
    /// A part of a session's messages, in order.
    pub struct MessagePage {
        /// The messages.
        data: Vec<Message> = required,
        /// The position of the first of them: how many messages are before it.
        first: i64 => 0,
        /// What to ask for as `from` to get the next part; null in the last one.
        next: Option<i64>,
    }
}

record! {
    /// A change of a session. What is absent stays as it is.
    #[example(r#"{"title": "Figs"}"#)]
    pub struct SessionChange {
        /// The new title; null takes it away.
        title: Option<String>,
        /// The new metadata, in place of the old.
        metadata: Option<JsonObject>,
    }
}

record! {
    /// Messages to be added to a session.
    #[example(r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}], "key": "import-1"}"#)]
    pub struct MessageAppend {
        /// The messages, in order. Each gets an id if it has none.
        messages: Vec<Message> = required,
        /// Names the messages: a second request with the same key adds nothing.
        key: Option<String>,
        /// Whether messages whose id is in the session already are left out.
        skip_known: bool => false,
    }
}

record! {
    /// What was added to a session.
    pub struct MessagesAppended {
        /// The position of the first message that was added, or where the next one will stand.
        first: i64 => 0,
        /// How many were added; 0 if the key was known.
        count: i64 => 0,
    }
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
