//! Messages and contents that are still growing.

use agent_schemas::{ContentBody, ErrorBody, MessageType, Role, Status, sse};

use super::encode::{self, MessageHead};

/// Identifies an open message within its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MessageKey(pub(super) u64);

#[derive(Debug)]
pub(super) struct OpenMessage {
    pub(super) key: MessageKey,
    pub(super) head: MessageHead,
    pub(super) contents: Vec<OpenContent>,
}

impl OpenMessage {
    pub(super) fn new(id: String, kind: MessageType, role: Option<Role>) -> Self {
        OpenMessage::with_head(MessageHead::new(id, kind, role))
    }

    pub(super) fn with_head(head: MessageHead) -> Self {
        OpenMessage { key: MessageKey(0), head, contents: Vec::with_capacity(1) }
    }

    /// The closed contents as a JSON array; `null` if the message never had one.
    pub(super) fn contents_json(&self) -> Vec<u8> {
        if self.contents.is_empty() {
            return b"null".to_vec();
        }
        let mut json = b"[".to_vec();
        for content in &self.contents {
            if let OpenContent::Closed(bytes) = content {
                if json.len() > 1 {
                    json.push(b',');
                }
                json.extend_from_slice(bytes);
            }
        }
        json.push(b']');
        json
    }
}

/// A content of an open message.
#[derive(Debug)]
pub(super) enum OpenContent {
    /// The content may still grow.
    Open(Value),
    /// The content's JSON, as its closing event wrote it.
    Closed(Vec<u8>),
}

/// The accumulated value.
#[derive(Debug)]
pub(super) enum Value {
    /// A typed body.
    Typed(ContentBody),
    /// A body of one string, kept as the inside of its JSON string, so that no character is escaped twice.
    Escaped {
        /// The body's type.
        type_name: &'static str,
        /// The inside of the JSON string.
        text: Vec<u8>,
        /// The part of every delta event between its number and its text.
        prefix: Vec<u8>,
    },
}

/// The JSON key of a body that is one string.
fn string_key(type_name: &str) -> Option<&'static str> {
    match type_name {
        "text" => Some("text"),
        "refusal" => Some("refusal"),
        "image" => Some("image_url"),
        "video" => Some("video_url"),
        _ => None,
    }
}

/// The string of a body that is one string.
fn string_of(body: &ContentBody) -> Option<&str> {
    match body {
        ContentBody::Text { text: string }
        | ContentBody::Refusal { refusal: string }
        | ContentBody::Image { image_url: string }
        | ContentBody::Video { video_url: string } => string.as_deref(),
        _ => None,
    }
}

impl OpenContent {
    pub(super) fn new(empty: ContentBody) -> Self {
        OpenContent::Open(Value::Typed(empty))
    }

    /// Writes a delta event's JSON and accumulates it; `false`, with half an event written, if that is impossible.
    pub(super) fn write_text_delta(
        &mut self,
        out: &mut Vec<u8>,
        number: u64,
        index: usize,
        msg_id: &str,
        text: &str,
    ) -> bool {
        let OpenContent::Open(value) = self else { return false };
        let Some((accumulated, prefix)) = value.escaped(index, msg_id) else { return false };
        out.extend_from_slice(b"{\"sequence_number\":");
        sse::write_number(out, number);
        out.extend_from_slice(prefix);
        let start = out.len();
        sse::write_escaped(out, text);
        accumulated.extend_from_slice(&out[start..]);
        out.extend_from_slice(b"\"}");
        true
    }

    /// Applies a value of the same type; returns whether that was possible.
    pub(super) fn update(&mut self, value: &ContentBody, apply: fn(&mut ContentBody, &ContentBody)) -> bool {
        let OpenContent::Open(current) = self else { return false };
        if current.type_name() != value.type_name() {
            return false;
        }
        apply(current.typed(), value);
        true
    }

    /// Takes the value out to close it; `None` if it is closed.
    pub(super) fn take_open(&mut self) -> Option<Value> {
        match std::mem::replace(self, OpenContent::Closed(Vec::new())) {
            OpenContent::Open(value) => Some(value),
            closed => {
                *self = closed;
                None
            }
        }
    }
}

impl Value {
    fn type_name(&self) -> &'static str {
        match self {
            Value::Typed(body) => body.type_name(),
            Value::Escaped { type_name, .. } => type_name,
        }
    }

    /// The accumulated string and the delta prefix; converts a typed body of one string into that form first.
    fn escaped(&mut self, index: usize, msg_id: &str) -> Option<(&mut Vec<u8>, &[u8])> {
        if let Value::Typed(body) = self {
            let type_name = body.type_name();
            let key = string_key(type_name)?;
            let mut text = Vec::with_capacity(64);
            sse::write_escaped(&mut text, string_of(body).unwrap_or_default());
            *self = Value::Escaped {
                type_name,
                text,
                prefix: encode::delta_prefix(type_name, key, index, msg_id),
            };
        }
        match self {
            Value::Escaped { text, prefix, .. } => Some((text, prefix)),
            Value::Typed(_) => None,
        }
    }

    /// The body as a typed value; converts the escaped form back first.
    fn typed(&mut self) -> &mut ContentBody {
        if let Value::Escaped { type_name, text, .. } = self {
            let quoted = [b"\"", text.as_slice(), b"\""].concat();
            let string: Option<String> = serde_json::from_slice(&quoted).ok();
            *self = Value::Typed(match *type_name {
                "refusal" => ContentBody::Refusal { refusal: string },
                "image" => ContentBody::Image { image_url: string },
                "video" => ContentBody::Video { video_url: string },
                _ => ContentBody::Text { text: string },
            });
        }
        match self {
            Value::Typed(body) => body,
            Value::Escaped { .. } => unreachable!("it was turned into a typed value above"),
        }
    }

    /// Writes the closing event's JSON.
    pub(super) fn write_closed(
        &self,
        out: &mut Vec<u8>,
        number: u64,
        status: &Status,
        error: Option<&ErrorBody>,
        index: usize,
        msg_id: &str,
    ) {
        match self {
            Value::Typed(body) => encode::content(out, number, status, error, index, false, msg_id, body),
            Value::Escaped { type_name, text, .. } => {
                let key = string_key(type_name).unwrap_or_default();
                encode::content_head(out, number, status, error, type_name, index, false, msg_id);
                encode::raw_string_member(out, key, text);
                out.push(b'}');
            }
        }
    }
}
