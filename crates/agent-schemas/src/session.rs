//! Sessions: the messages of one conversation with one user.

use std::borrow::Cow;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json};
use crate::json::{Json, JsonObject};
use crate::message::Message;
use crate::union::untagged_union;

/// A conversation of one user.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{
    "id": "session_1", "user_id": "user_1",
    "messages": [{"role": "user", "content": [{"type": "text", "text": "What is 6 times 7?"}]}]
}"#)]
pub struct Session {
    /// The session id, unique per user.
    #[record(required)]
    pub id: String,
    /// The user id.
    #[record(required)]
    pub user_id: String,
    /// The messages, oldest first.
    #[record(default)]
    pub messages: Vec<SessionMessage>,
}

/// One entry of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionMessage {
    /// A message of the agent protocol.
    Message(Box<Message>),
    /// An object of another form, kept unchanged.
    Other(JsonObject),
}

impl From<Message> for SessionMessage {
    fn from(message: Message) -> Self {
        SessionMessage::Message(Box::new(message))
    }
}

impl Serialize for SessionMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            SessionMessage::Message(message) => message.serialize(serializer),
            SessionMessage::Other(members) => members.serialize(serializer),
        }
    }
}

/// An entry is a message if it can be read as one and has at least one of a message's fields.
impl FromJson for SessionMessage {
    fn from_json(json: Json) -> Decoded<Self> {
        let members = JsonObject::from_json(json)?;
        if !MESSAGE_FIELDS.iter().any(|field| members.contains_key(*field)) {
            return Ok(SessionMessage::Other(members));
        }
        let message = Message::from_json(Json::Object(members.clone()));
        Ok(message.map_or_else(|_| SessionMessage::Other(members), SessionMessage::from))
    }
}

/// The names of a message's fields.
const MESSAGE_FIELDS: [&str; 12] = [
    "sequence_number",
    "object",
    "status",
    "error",
    "id",
    "type",
    "role",
    "content",
    "code",
    "message",
    "usage",
    "metadata",
];

impl JsonSchema for SessionMessage {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("SessionMessage")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let doc = ["A message, or an object of any other form, which is kept unchanged."];
        let alternatives = [generator.subschema_for::<Message>(), generator.subschema_for::<JsonObject>()];
        untagged_union(&doc, &alternatives)
    }
}

deserialize_from_json!(SessionMessage);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_fields__match_the_serialized_message() {
        let dump = Json::from_serialize(&Message::default()).unwrap();
        let written: Vec<&str> = dump.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(MESSAGE_FIELDS.as_slice(), written);
    }
}
