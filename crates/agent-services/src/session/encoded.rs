//! Messages on their way into a store: JSON text, and the id by which they are known.

use agent_schemas::Message;
use bytes::Bytes;

use crate::limits::{check_depth, json_text};
use crate::{Error, ErrorKind, Result};

const OPERATION: &str = "append to a session";

/// A message as the JSON text that is stored, with its id.
///
/// Whoever has a message's JSON already, as a run has that of its output, need not parse it for its history. The text is
/// UTF-8 and nests no deeper than what is read: a message that cannot be read would make its whole page unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedMessage {
    id: String,
    json: Bytes,
}

impl EncodedMessage {
    /// Encodes a message.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if something in it is nested too deeply.
    pub fn from_message(message: &Message) -> Result<Self> {
        // The bytes may be kept for long, so what the buffer has too much is given back.
        let json = json_text(OPERATION, message)?.into_boxed_str();
        Ok(EncodedMessage { id: message.id.clone(), json: Bytes::from(json.into_boxed_bytes()) })
    }

    /// Takes the JSON of a message with this id, as serializing it would write it.
    ///
    /// That it is the JSON of such a message is up to the caller, as finding out means parsing it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if it is not UTF-8, or nested too deeply.
    pub fn from_json(id: impl Into<String>, json: Bytes) -> Result<Self> {
        if let Err(error) = std::str::from_utf8(&json) {
            let error =
                Error::new(ErrorKind::InvalidInput, OPERATION, "a message is not UTF-8").with_source(error);
            return Err(error);
        }
        check_depth(OPERATION, &json)?;
        Ok(EncodedMessage { id: id.into(), json })
    }

    /// The message's id; empty if it has none.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The message's JSON text.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    pub(crate) fn into_parts(self) -> (String, Bytes) {
        (self.id, self.json)
    }
}

/// Messages that are appended together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageBatch {
    /// The messages, in order.
    pub messages: Vec<EncodedMessage>,
    /// Names the batch: a second one with the same key in the same session changes nothing.
    pub key: Option<String>,
    /// How many messages at the beginning are left out if their id is already in the session. A message without an id
    /// never is.
    pub maybe_known: usize,
    /// Whether the session is anonymous if this batch makes it, or if it is so already.
    pub is_anonymous: bool,
}

impl MessageBatch {
    /// A batch without a key, of messages that are all stored.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if something in a message is nested too deeply.
    pub fn of(messages: &[Message]) -> Result<Self> {
        let messages = messages.iter().map(EncodedMessage::from_message).collect::<Result<_>>()?;
        Ok(MessageBatch { messages, ..MessageBatch::default() })
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::{Content, json, object};

    use super::*;

    #[test]
    fn encoded__too_deep_to_read__is_refused() {
        for levels in 1..300 {
            let text = format!("{}\"[[\\\"[\"{}", "[".repeat(levels), "]".repeat(levels));
            let mut message = Message::user("a");
            message.content = Some(vec![Content::data(object! {
                "deep" => json::parse_with_depth(&text, 300).expect("JSON")
            })]);
            let text = serde_json::to_string(&message).expect("JSON");
            let read = serde_json::from_str::<Message>(&text).ok();
            match EncodedMessage::from_message(&message) {
                Ok(encoded) => {
                    assert_eq!(encoded.json(), text.as_bytes());
                    assert_eq!(read, Some(message), "{levels} levels");
                }
                Err(error) => {
                    assert_eq!((error.kind(), read), (ErrorKind::InvalidInput, None), "{levels} levels");
                }
            }
            let encoded = EncodedMessage::from_json("", Bytes::from(text));
            assert_eq!(encoded.is_ok(), levels <= 124, "{levels} levels");
        }
    }

    #[test]
    fn encoded__invalid_utf8__is_refused() {
        let refused =
            EncodedMessage::from_json("", Bytes::from_static(b"\"\xff\"")).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::InvalidInput));
    }
}
