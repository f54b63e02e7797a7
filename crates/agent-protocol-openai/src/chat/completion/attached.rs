//! The members that a model server attached to the message of a completion.

use agent_schemas::openai::{
    EXTRA_MEMBERS, MESSAGE_MEMBERS, REASONING_IN_CONTENT, REASONING_MEMBER, REASONING_MEMBERS,
    REASONING_PARTS,
};
use agent_schemas::{Content, Json, JsonObject, Message, MessageType};

/// Members of a completion's message that have other sources.
const KNOWN: [&str; 6] = ["role", "content", "refusal", "tool_calls", "images", "type"];

/// Collects the attached members, which a client may send back with the message.
#[derive(Debug, Default)]
pub(super) struct Attached(JsonObject);

impl Attached {
    /// Takes what is attached to a message that the client sees.
    pub(super) fn take(&mut self, message: &Message) {
        let Some(metadata) = &message.metadata else { return };
        match message.kind {
            // The completion has the reasoning under the usual name, so the client has to bring back the other one.
            MessageType::Reasoning => {
                self.0.extend(
                    metadata.get_key_value(REASONING_MEMBER).map(|(key, value)| (key.clone(), value.clone())),
                );
            }
            MessageType::Message => self.add(metadata, EXTRA_MEMBERS),
            _ => {}
        }
    }

    /// Takes what is attached to the message that made a call.
    pub(super) fn take_call(&mut self, call: &Content) {
        if let Some(data) = call.as_data() {
            self.add(data, MESSAGE_MEMBERS);
        }
    }

    fn add(&mut self, kept_in: &JsonObject, key: &str) {
        let Some(members) = kept_in.get(key).and_then(Json::as_object) else { return };
        let is_shown = |key: &str| KNOWN.contains(&key) || REASONING_MEMBERS.contains(&key);
        let others = members.iter().filter(|(key, _)| !is_shown(key));
        self.0.extend(others.map(|(key, value)| (key.clone(), value.clone())));
        if let Some(parts @ Json::Array(_)) = members.get(REASONING_IN_CONTENT) {
            self.0.insert(REASONING_PARTS.to_owned(), parts.clone());
        }
    }

    pub(super) fn members(&self) -> &JsonObject {
        &self.0
    }
}
