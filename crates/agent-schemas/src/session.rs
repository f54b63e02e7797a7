//! Sessions: what was said in one conversation with one user.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json};
use crate::json::{Json, JsonObject};
use crate::message::Message;
use crate::record::record;
use crate::union::untagged_union;

record! {
    /// A conversation of one user.
    #[example(r#"{
        "id": "session_1", "user_id": "user_1",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "What is 6 times 7?"}]}]
    }"#)]
    pub struct Session {
        /// Names the session among those of its user.
        id: String = required,
        /// Whose session it is.
        user_id: String = required,
        /// What was said, the oldest first.
        messages: Vec<SessionMessage> => Vec::<SessionMessage>::new(),
    }
}

/// One entry of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionMessage {
    /// A message of the agent protocol.
    Message(Box<Message>),
    /// An object of another form, kept as it came.
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

/// A message is what can be read as one and has at least one of a message's fields.
impl FromJson for SessionMessage {
    fn from_json(json: Json) -> Decoded<Self> {
        let members = JsonObject::from_json(json)?;
        Ok(match Message::from_json(Json::Object(members.clone())) {
            Ok(message) if shares_a_field(&message, &members) => message.into(),
            _ => SessionMessage::Other(members),
        })
    }
}

fn shares_a_field(message: &Message, members: &JsonObject) -> bool {
    Json::from_serialize(message).is_ok_and(|dump| members.keys().any(|key| dump.get(key).is_some()))
}

impl JsonSchema for SessionMessage {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("SessionMessage")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let doc = ["A message, or an object of any other form, which is kept as it came."];
        let alternatives = [generator.subschema_for::<Message>(), generator.subschema_for::<JsonObject>()];
        untagged_union(&doc, &alternatives)
    }
}

deserialize_from_json!(SessionMessage);
