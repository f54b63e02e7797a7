//! Messages on their way into a store, as JSON text with their id.

use agent_schemas::Message;
use bytes::Bytes;

use crate::limits::{check_depth, json_text};
use crate::{Error, ErrorKind, Result};

const OPERATION: &str = "append to a session";

/// A message as the JSON text that is stored, with its id.
///
/// A caller that already has a message's JSON, such as a run with its output, need not parse it again. The text is
/// UTF-8 and within the nesting limit: one unreadable message would make its whole page unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedMessage {
    id: String,
    json: Bytes,
}

impl EncodedMessage {
    /// Encodes a message.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the message is nested too deeply.
    pub fn from_message(message: &Message) -> Result<Self> {
        // The bytes may be kept for a long time, so unused capacity is released.
        let json = json_text(OPERATION, message)?.into_boxed_str();
        Ok(EncodedMessage { id: message.id.clone(), json: Bytes::from(json.into_boxed_bytes()) })
    }

    /// Wraps the JSON of a message with this id, in the form in which it would be serialized.
    ///
    /// The caller must make sure that this is the JSON of that message, because checking means parsing it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the text is not UTF-8, or nested too deeply.
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
    /// The idempotency key: a second batch with the same key in the same session changes nothing.
    pub key: Option<String>,
    /// How many messages at the beginning are skipped if their id is already in the session. Messages without an id are
    /// never skipped.
    pub maybe_known: usize,
    /// Whether the session is anonymous if this batch creates it, and stays anonymous if it already is.
    pub is_anonymous: bool,
}

impl MessageBatch {
    /// A batch without a key, all of whose messages are stored.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if a message is nested too deeply.
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
