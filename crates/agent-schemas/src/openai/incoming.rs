//! Converts chat completion messages to messages of the protocol.

use crate::call::{FunctionCall, FunctionCallOutput};
use crate::content::{Content, ContentBody};
use crate::decode::{Decoded, FromJson, ValidationError, member, missing};
use crate::id::{IdSource, message_id};
use crate::json::{Json, JsonObject};
use crate::message::{Message, MessageType, Role};

use super::members::{
    MESSAGE_MEMBERS, REASONING_CONTENT, REASONING_IN_CONTENT, REASONING_MEMBER, REASONING_MEMBERS,
    REASONING_PARTS, extra_members_of_call, extra_members_of_message, is_thinking, keep_extra_members,
    reasoning_metadata, reasoning_name, thinking_text,
};

impl Message {
    /// Reads one chat completion message. An assistant's reasoning, text and tool calls become separate messages.
    ///
    /// - Tool calls become one `function_call` message with one data content per call, after a `reasoning` and a `message`
    ///   with the accompanying reasoning and text, if any. A tool's output becomes a `function_call_output`; its images and
    ///   other media are further contents of it.
    /// - What a model server attached to the assistant's message or its calls is kept; see
    ///   [`EXTRA_MEMBERS`](crate::openai::EXTRA_MEMBERS).
    /// - The role `developer` becomes `system`. Names, and other members of other roles, are dropped.
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
            return Ok(vec![new(MessageType::FunctionCallOutput, role, answer(members)?)]);
        }
        let is_assistant = role == Role::Assistant;
        let calls = if is_assistant { calls(members)? } else { Vec::new() };
        let thinking = if is_assistant { Thinking::take_from(members) } else { Thinking::default() };
        let contents = contents(thinking.rest.as_ref().unwrap_or(members), !calls.is_empty())?;
        let says_nothing = contents.iter().all(|content| content.as_text() == Some(""));
        let mut messages = Vec::new();
        if let Some((name, text)) = thinking.text {
            let mut reasoning = new(MessageType::Reasoning, role, vec![Content::text(text)]);
            reasoning.metadata = reasoning_metadata(name);
            messages.push(reasoning);
        }
        if calls.is_empty() || !says_nothing {
            messages.push(new(MessageType::Message, role, contents));
        }
        match messages.last_mut() {
            Some(last) if calls.is_empty() && !thinking.extra.is_empty() => {
                keep_extra_members(last.metadata.get_or_insert_default(), thinking.extra);
            }
            _ if calls.is_empty() => {}
            _ => messages.push(new(
                MessageType::FunctionCall,
                role,
                with_message_members(calls, thinking.extra),
            )),
        }
        Ok(messages)
    }
}

/// Keeps what is attached to a message with its last call.
fn with_message_members(mut calls: Vec<Content>, extra: JsonObject) -> Vec<Content> {
    if let Some(ContentBody::Data { data: Some(data) }) = calls.last_mut().map(|call| &mut call.body)
        && !extra.is_empty()
    {
        data.insert(MESSAGE_MEMBERS.to_owned(), extra.into());
    }
    calls
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
    let extra = extra_members_of_call(call);
    let text = |key| required(&function, key).map_err(|fault| fault.at("function"));
    let call = FunctionCall {
        call_id: Some(required(call, "id")?),
        name: Some(text("name")?),
        arguments: Some(text("arguments")?),
    };
    let mut data = call.into_data();
    keep_extra_members(&mut data, extra);
    Ok(Content::data(data))
}

/// The output, and the images and other media in it.
fn answer(members: &JsonObject) -> Decoded<Vec<Content>> {
    let (output, media) = match members.get("content") {
        Some(Json::Array(_)) => {
            let (texts, media): (Vec<Content>, _) =
                contents(members, false)?.into_iter().partition(|content| content.as_text().is_some());
            (texts.iter().filter_map(Content::as_text).collect(), media)
        }
        _ => (required(members, "content")?, Vec::new()),
    };
    let call_id = required(members, "tool_call_id")?;
    let output = Content::data(FunctionCallOutput { call_id, name: None, output }.into_data());
    Ok(std::iter::once(output).chain(media).collect())
}

/// What an assistant's message has besides its text and its calls.
#[derive(Default)]
struct Thinking {
    /// The reasoning, and the name of its member.
    text: Option<(&'static str, String)>,
    /// What else the model server attached.
    extra: JsonObject,
    /// The message without the thinking parts of its content, if it has any.
    rest: Option<JsonObject>,
}

impl Thinking {
    fn take_from(members: &JsonObject) -> Self {
        let mut extra = extra_members_of_message(members);
        let text = |name: &&'static str| members.get(*name)?.as_str().filter(|text| !text.is_empty());
        let named = REASONING_MEMBERS.iter().find_map(|name| Some((*name, text(name)?.to_owned())));
        let named = match (named, extra.shift_remove(REASONING_MEMBER).as_ref().and_then(Json::as_str)) {
            // This library gave the reasoning its usual name when it wrote the message.
            (Some((REASONING_CONTENT, text)), Some(name)) => Some((reasoning_name(name), text)),
            (named, _) => named,
        };
        if let Some(Json::Array(mut parts)) = extra.shift_remove(REASONING_PARTS) {
            parts.retain(is_thinking);
            extra.insert(REASONING_IN_CONTENT.to_owned(), parts.into());
        }
        let Some(parts) = members.get("content").and_then(Json::as_array) else {
            return Thinking { text: named, extra, rest: None };
        };
        let (thinking, others): (Vec<Json>, Vec<Json>) = parts.iter().cloned().partition(is_thinking);
        if thinking.is_empty() {
            return Thinking { text: named, extra, rest: None };
        }
        let said: String = thinking.iter().map(thinking_text).collect();
        extra.insert("content".to_owned(), thinking.into());
        let mut rest = members.clone();
        let others = if others.is_empty() { Json::from("") } else { others.into() };
        rest.insert("content".to_owned(), others);
        let in_content = Some((REASONING_IN_CONTENT, said)).filter(|(_, said)| !said.is_empty());
        Thinking { text: named.or(in_content), extra, rest: Some(rest) }
    }
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
