//! Encodes events as JSON, member by member in the protocol's order.

use agent_schemas::{ContentBody, ErrorBody, JsonObject, MessageType, Role, Status, sse};
use serde::Serialize;

use super::closed::{ClosedMessage, write_output};
use super::{Ending, ResponseHead};

/// The members of a message event other than number, status, error and contents.
#[derive(Debug)]
pub(crate) struct MessageHead {
    pub(crate) id: String,
    pub(crate) kind: MessageType,
    pub(crate) role: Option<Role>,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) usage: Option<JsonObject>,
    pub(crate) metadata: Option<JsonObject>,
}

impl MessageHead {
    pub(super) fn new(id: String, kind: MessageType, role: Option<Role>) -> Self {
        MessageHead { id, kind, role, code: None, message: None, usage: None, metadata: None }
    }
}

/// The end of a run's output: the closed messages and the sum of their usage.
pub(super) struct Output<'a> {
    pub(super) closed: &'a [ClosedMessage],
    pub(super) usage: Option<&'a JsonObject>,
}

/// Writes a value. Serialization into memory fails only for maps without string keys, which the protocol does not have.
fn value<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if sse::write_json(out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

fn member<T: Serialize + ?Sized>(out: &mut Vec<u8>, key: &str, content: &T) {
    raw_member(out, key, b"");
    value(out, content);
}

fn raw_member(out: &mut Vec<u8>, key: &str, json: &[u8]) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    out.extend_from_slice(json);
}

/// Writes a string member, given the inside of its JSON string.
pub(super) fn raw_string_member(out: &mut Vec<u8>, key: &str, inside: &[u8]) {
    raw_member(out, key, b"\"");
    out.extend_from_slice(inside);
    out.push(b'"');
}

/// Writes an event of an agent's own kind: its number, and its members as they are.
pub(super) fn other(out: &mut Vec<u8>, number: u64, members: &JsonObject) {
    out.extend_from_slice(b"{\"sequence_number\":");
    sse::write_number(out, number);
    members.iter().for_each(|(key, content)| {
        out.push(b',');
        value(out, key);
        out.push(b':');
        value(out, content);
    });
    out.push(b'}');
}

fn event_head(out: &mut Vec<u8>, number: u64, object: &str, status: &Status, error: Option<&ErrorBody>) {
    out.extend_from_slice(b"{\"sequence_number\":");
    sse::write_number(out, number);
    event_rest(out, object, status, error);
}

fn event_rest(out: &mut Vec<u8>, object: &str, status: &Status, error: Option<&ErrorBody>) {
    raw_string_member(out, "object", object.as_bytes());
    member(out, "status", status);
    match error {
        Some(error) => member(out, "error", error),
        None => raw_member(out, "error", b"null"),
    }
}

fn content_rest(out: &mut Vec<u8>, type_name: &str, index: usize, delta: bool, msg_id: &str) {
    raw_string_member(out, "type", type_name.as_bytes());
    raw_member(out, "index", b"");
    sse::write_number(out, index as u64);
    raw_member(out, "delta", if delta { b"true" } else { b"false" });
    member(out, "msg_id", msg_id);
}

/// The part of a string's delta event between its number and its text.
pub(super) fn delta_prefix(type_name: &str, key: &str, index: usize, msg_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    event_rest(&mut out, "content", &Status::InProgress, None);
    content_rest(&mut out, type_name, index, true, msg_id);
    raw_member(&mut out, key, b"\"");
    out
}

/// Writes a content event up to its body.
#[expect(clippy::too_many_arguments, reason = "they are the members of one event, in their order")]
pub(super) fn content_head(
    out: &mut Vec<u8>,
    number: u64,
    status: &Status,
    error: Option<&ErrorBody>,
    type_name: &str,
    index: usize,
    delta: bool,
    msg_id: &str,
) {
    event_head(out, number, "content", status, error);
    content_rest(out, type_name, index, delta, msg_id);
}

/// Writes a content event.
#[expect(clippy::too_many_arguments, reason = "they are the members of one event, in their order")]
pub(super) fn content(
    out: &mut Vec<u8>,
    number: u64,
    status: &Status,
    error: Option<&ErrorBody>,
    index: usize,
    delta: bool,
    msg_id: &str,
    body: &ContentBody,
) {
    content_head(out, number, status, error, body.type_name(), index, delta, msg_id);
    match body {
        ContentBody::Text { text } => member(out, "text", text),
        ContentBody::Image { image_url } => member(out, "image_url", image_url),
        ContentBody::Data { data } => member(out, "data", data),
        ContentBody::Audio { data, format } => {
            member(out, "data", data);
            member(out, "format", format);
        }
        ContentBody::File { file_url, file_id, filename, file_data } => {
            member(out, "file_url", file_url);
            member(out, "file_id", file_id);
            member(out, "filename", filename);
            member(out, "file_data", file_data);
        }
        ContentBody::Refusal { refusal } => member(out, "refusal", refusal),
        ContentBody::Video { video_url } => member(out, "video_url", video_url),
        // A kind of content added to the protocol later has no members here until it is written above.
        _ => {}
    }
    out.push(b'}');
}

/// Writes a message event; `contents` is JSON.
pub(super) fn message(
    out: &mut Vec<u8>,
    number: u64,
    status: &Status,
    error: Option<&ErrorBody>,
    head: &MessageHead,
    contents: &[u8],
) {
    event_head(out, number, "message", status, error);
    member(out, "id", &head.id);
    member(out, "type", &head.kind);
    member(out, "role", &head.role);
    raw_member(out, "content", contents);
    member(out, "code", &head.code);
    member(out, "message", &head.message);
    member(out, "usage", &head.usage);
    member(out, "metadata", &head.metadata);
    out.push(b'}');
}

/// Writes a response event.
pub(super) fn response(
    out: &mut Vec<u8>,
    number: u64,
    status: &Status,
    head: &ResponseHead,
    ending: Option<&Ending>,
    output: Option<Output<'_>>,
) {
    event_head(out, number, "response", status, ending.and_then(|ending| ending.error.as_ref()));
    member(out, "id", &head.id);
    member(out, "created_at", &head.created_at);
    member(out, "completed_at", &ending.map(|ending| ending.completed_at));
    match &output {
        // As in upstream, only a completed run has an explicit empty output.
        Some(output)
            if *status == Status::Completed || output.closed.iter().any(|message| message.is_output) =>
        {
            raw_member(out, "output", b"[");
            write_output(out, output.closed);
            out.push(b']');
        }
        _ => raw_member(out, "output", b"null"),
    }
    member(out, "usage", &output.and_then(|output| output.usage));
    member(out, "session_id", &head.session_id);
    if let Some(ending) = ending.filter(|ending| !ending.warnings.is_empty()) {
        member(out, "warnings", &ending.warnings);
    }
    out.push(b'}');
}
