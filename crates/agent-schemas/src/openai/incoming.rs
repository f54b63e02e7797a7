//! Converts chat completion messages to messages of the protocol.

use crate::call::{FunctionCall, FunctionCallOutput};
use crate::content::{Content, ContentBody};
use crate::decode::{Decoded, FromJson, ValidationError, member, missing};
use crate::id::{IdSource, message_id};
use crate::json::{Json, JsonObject};
use crate::message::{Message, MessageType, Role};

impl Message {
    /// Reads one chat completion message. An assistant's text and tool calls become two messages.
    ///
    /// - Tool calls become one `function_call` message with one data content per call, after a `message` with the
    ///   accompanying text, if any. A tool's output becomes a `function_call_output`.
    /// - The role `developer` becomes `system`. Names, reasoning and unknown keys are dropped.
    /// - A message whose `type` is a [`MessageType`] is already one of the protocol and is read as such.
    ///
    /// # Errors
    /// The first error, with its location: a role, text, id or other required value is missing or has the wrong type.
    pub fn from_openai_message(message: &Json, ids: &dyn IdSource) -> Result<Vec<Message>, ValidationError> {
        let Some(members) = message.as_object() else {
            return Err(ValidationError::new("model_type", "expected a message object", message.clone()));
        };
        let kind = members.get("type").and_then(Json::as_str).map(MessageType::from);
        if kind.is_some_and(|kind| !matches!(kind, MessageType::Other(_))) {
            let mut message = Message::from_json(message.clone())?;
            if message.id.is_empty() {
                message.id = message_id(ids);
            }
            return Ok(vec![message]);
        }
        let new = |kind, role, contents| {
            let mut message = Message::new(message_id(ids), kind);
            message.role = Some(role);
            message.content = Some(contents);
            message
        };
        let role = read_role(members)?;
        if role == Role::Tool {
            return Ok(vec![new(MessageType::FunctionCallOutput, role, vec![answer(members)?])]);
        }
        let calls = if role == Role::Assistant { calls(members)? } else { Vec::new() };
        let contents = contents(members, !calls.is_empty())?;
        let says_nothing = contents.iter().all(|content| content.as_text() == Some(""));
        let mut messages = Vec::new();
        if calls.is_empty() || !says_nothing {
            messages.push(new(MessageType::Message, role, contents));
        }
        if !calls.is_empty() {
            messages.push(new(MessageType::FunctionCall, role, calls));
        }
        Ok(messages)
    }
}

fn required<T: FromJson>(members: &JsonObject, key: &str) -> Decoded<T> {
    match members.get(key) {
        Some(value) => member(key, value.clone()),
        None => Err(missing(key, Json::Object(members.clone()))),
    }
}

fn optional<T: FromJson>(members: &JsonObject, key: &str) -> Decoded<Option<T>> {
    members.get(key).map_or(Ok(None), |value| member(key, value.clone()))
}

fn read_role(members: &JsonObject) -> Decoded<Role> {
    let name = members.get("role").and_then(Json::as_str);
    if name == Some("developer") { Ok(Role::System) } else { required(members, "role") }
}

/// The tool calls of an assistant message; empty if the key is missing, null or an empty array.
fn calls(members: &JsonObject) -> Decoded<Vec<Content>> {
    let calls: Vec<JsonObject> = optional(members, "tool_calls")?.unwrap_or_default();
    let call = |(index, call): (usize, &JsonObject)| {
        read_call(call).map_err(|fault| fault.at(index).at("tool_calls"))
    };
    calls.iter().enumerate().map(call).collect()
}

fn read_call(call: &JsonObject) -> Decoded<Content> {
    let function: JsonObject = required(call, "function")?;
    let text = |key| required(&function, key).map_err(|fault| fault.at("function"));
    let call = FunctionCall {
        call_id: Some(required(call, "id")?),
        name: Some(text("name")?),
        arguments: Some(text("arguments")?),
    };
    Ok(Content::data(call.into_data()))
}

fn answer(members: &JsonObject) -> Decoded<Content> {
    let output = match members.get("content") {
        Some(Json::Array(_)) => {
            let parts = contents(members, false)?;
            parts.iter().filter_map(Content::as_text).collect()
        }
        _ => required(members, "content")?,
    };
    let call_id = required(members, "tool_call_id")?;
    Ok(Content::data(FunctionCallOutput { call_id, name: None, output }.into_data()))
}

/// The contents of a message: its `content` and, for an assistant, its `refusal`.
fn contents(members: &JsonObject, may_be_missing: bool) -> Decoded<Vec<Content>> {
    let refusal: Option<String> = optional(members, "refusal")?;
    let mut contents = match members.get("content") {
        None | Some(Json::Null) if may_be_missing || refusal.is_some() => Vec::new(),
        None => return Err(missing("content", Json::Object(members.clone()))),
        Some(Json::String(text)) => vec![Content::text(text.as_str())],
        Some(Json::Array(parts)) => parts
            .iter()
            .enumerate()
            .map(|(index, part)| read_part(part).map_err(|fault| fault.at(index).at("content")))
            .collect::<Decoded<_>>()?,
        Some(other) => {
            let message = "expected a string or an array of content parts";
            return Err(ValidationError::new("string_type", message, other.clone()).at("content"));
        }
    };
    contents.extend(refusal.map(|refusal| Content::new(ContentBody::Refusal { refusal: Some(refusal) })));
    Ok(contents)
}

fn read_part(part: &Json) -> Decoded<Content> {
    let members = JsonObject::from_json(part.clone())?;
    let kind: String = required(&members, "type")?;
    let body = match kind.as_str() {
        "text" => ContentBody::Text { text: Some(required(&members, "text")?) },
        "refusal" => ContentBody::Refusal { refusal: Some(required(&members, "refusal")?) },
        "image_url" => ContentBody::Image { image_url: Some(url(&members, "image_url")?) },
        "video_url" => ContentBody::Video { video_url: Some(url(&members, "video_url")?) },
        "audio_url" => ContentBody::Audio { data: Some(url(&members, "audio_url")?), format: None },
        "input_audio" => {
            let audio: JsonObject = required(&members, "input_audio")?;
            let inside = |fault: ValidationError| fault.at("input_audio");
            ContentBody::Audio {
                data: Some(required(&audio, "data").map_err(inside)?),
                format: optional(&audio, "format").map_err(inside)?,
            }
        }
        "file" => {
            let file: JsonObject = required(&members, "file")?;
            let text = |key| optional(&file, key).map_err(|fault: ValidationError| fault.at("file"));
            ContentBody::File {
                file_url: None,
                file_id: text("file_id")?,
                filename: text("filename")?,
                file_data: text("file_data")?,
            }
        }
        // Upstream's form of structured data in a part.
        _ if members.contains_key("text") => ContentBody::Data { data: Some(required(&members, "text")?) },
        _ => {
            let message = format!("unknown type of content part: '{kind}'");
            return Err(ValidationError::new("union_tag_invalid", message, part.clone()));
        }
    };
    Ok(Content::new(body))
}

/// A URL in an object, or on its own as some clients write it.
fn url(members: &JsonObject, key: &str) -> Decoded<String> {
    match members.get(key) {
        Some(Json::Object(inner)) => required(inner, "url").map_err(|fault| fault.at(key)),
        _ => required(members, key),
    }
}
