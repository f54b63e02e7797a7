//! Converts messages of the protocol to chat completion messages.

use std::collections::HashMap;

use super::{to_openai_tool_call, wrapped};
use crate::call::FunctionCall;
use crate::content::{Content, ContentBody};
use crate::json::{Json, JsonObject, parse};
use crate::message::{Message, MessageType, Role};

/// The conversation as the `messages` of a chat completion request, in a form that model servers accept.
///
/// - Messages keep their order and role; a message without a role is the user's. Text contents are joined by line
///   breaks into one string. Other contents become content parts, but only for users: servers accept images, audio,
///   videos and files from no other role. Structured data becomes JSON text, a refusal its text.
/// - Consecutive calls of functions, plugins and MCP tools become one assistant message, together with the assistant's
///   text right before them. Their outputs follow as `tool` messages, wherever they were.
/// - Servers reject a call without an output and an output without a call, so both are left out. The first output of a
///   call is used. A call id may be reused in a later turn.
/// - Missing arguments become `{}`. Arguments that are not a JSON object are wrapped in one under `invalid_arguments`,
///   as some servers reject a conversation that has them.
/// - A file that has only a URL becomes a text with that URL, as chat completions have no part for it.
/// - Left out: reasoning, heartbeats, errors, MCP tool lists and approvals, components, user interfaces, unknown
///   message types, messages of role `tool` that answer no call, other contents of a message that has a call or an
///   output, and messages that end up empty.
pub fn to_openai_messages(messages: &[Message]) -> Vec<Json> {
    let mut conversation = Conversation::default();
    for message in messages {
        match message.kind {
            MessageType::Message => conversation.say(message),
            MessageType::FunctionCall | MessageType::PluginCall | MessageType::McpCall => {
                message.contents().iter().for_each(|content| conversation.call(content));
            }
            MessageType::FunctionCallOutput | MessageType::PluginCallOutput | MessageType::McpCallOutput => {
                message.contents().iter().for_each(|content| conversation.answer(content));
            }
            _ => {}
        }
    }
    conversation.turns.into_iter().flat_map(Turn::into_messages).collect()
}

#[derive(Default)]
struct Conversation {
    turns: Vec<Turn>,
    /// The positions of the calls that wait for an output: the turn and the call in it.
    waiting: HashMap<String, (usize, usize)>,
    /// Whether the calls of the last turn are complete because outputs followed them.
    answered: bool,
}

enum Turn {
    /// A user or system message.
    Other(Json),
    /// The assistant's text and the calls that follow it.
    Assistant { text: Option<String>, calls: Vec<Call> },
}

struct Call {
    call: FunctionCall,
    answer: Option<String>,
}

impl Conversation {
    fn say(&mut self, message: &Message) {
        let turn = match message.role {
            Some(Role::Tool) => return,
            Some(Role::Assistant) => match plain_text(message.contents()).filter(|text| !text.is_empty()) {
                Some(text) => Turn::Assistant { text: Some(text), calls: Vec::new() },
                None => return,
            },
            Some(Role::System) => match plain_text(message.contents()) {
                Some(text) => Turn::Other(spoken(Role::System, text)),
                None => return,
            },
            Some(Role::User) | None => match user_content(message.contents()) {
                Some(content) => Turn::Other(spoken(Role::User, content)),
                None => return,
            },
        };
        self.turns.push(turn);
        self.answered = false;
    }

    fn call(&mut self, content: &Content) {
        let Some(call) = content.as_data().and_then(read_call) else {
            return;
        };
        let joins = matches!(self.turns.last(), Some(Turn::Assistant { .. })) && !self.answered;
        if !joins {
            self.turns.push(Turn::Assistant { text: None, calls: Vec::new() });
            self.answered = false;
        }
        let turn = self.turns.len() - 1;
        if let Some(Turn::Assistant { calls, .. }) = self.turns.last_mut() {
            // An earlier pending call with the same id will never get an output.
            self.waiting.insert(call.call_id.clone().unwrap_or_default(), (turn, calls.len()));
            calls.push(Call { call, answer: None });
        }
    }

    fn answer(&mut self, content: &Content) {
        let data = content.as_data();
        let Some(call_id) = data.and_then(|data| data.get("call_id")?.as_str()) else {
            return;
        };
        let Some((turn, call)) = self.waiting.remove(call_id) else {
            return;
        };
        if let Some(Turn::Assistant { calls, .. }) = self.turns.get_mut(turn)
            && let Some(call) = calls.get_mut(call)
        {
            call.answer = Some(text_of(data.and_then(|data| data.get("output"))));
            self.answered = true;
        }
    }
}

impl Turn {
    fn into_messages(self) -> Vec<Json> {
        let (text, calls) = match self {
            Turn::Other(message) => return vec![message],
            Turn::Assistant { text, calls } => (text, calls),
        };
        let mut tool_calls = Vec::new();
        let mut answers = Vec::new();
        for Call { call, answer } in calls {
            if let Some(answer) = answer {
                tool_calls.push(to_openai_tool_call(&call));
                answers.push(Json::from(crate::object! {
                    "role" => "tool",
                    "tool_call_id" => call.call_id,
                    "content" => answer,
                }));
            }
        }
        let mut message = match (text, tool_calls.is_empty()) {
            (None, true) => return Vec::new(),
            // Some servers require the key even if there is no text.
            (text, _) => crate::object! { "role" => "assistant", "content" => text },
        };
        if !tool_calls.is_empty() {
            message.insert("tool_calls".to_owned(), Json::from(tool_calls));
        }
        let mut messages = vec![Json::from(message)];
        messages.append(&mut answers);
        messages
    }
}

fn spoken(role: Role, content: impl Into<Json>) -> Json {
    Json::from(crate::object! { "role" => role.as_str(), "content" => content.into() })
}

/// The call in a data content; `None` without an id or a name.
fn read_call(data: &JsonObject) -> Option<FunctionCall> {
    let text = |key| data.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    Some(FunctionCall {
        call_id: Some(text("call_id")?.to_owned()),
        name: Some(text("name")?.to_owned()),
        arguments: Some(arguments(text_of(data.get("arguments")))),
    })
}

fn arguments(text: String) -> String {
    match parse(&text) {
        Ok(Json::Object(_)) => text,
        Ok(Json::Null) => "{}".to_owned(),
        _ if text.trim().is_empty() => "{}".to_owned(),
        _ => Json::from(wrapped("invalid_arguments", text)).to_string(),
    }
}

/// A string unchanged, null as nothing, any other value as JSON text.
fn text_of(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The content as text; `None` for media and nulls.
fn words(body: &ContentBody) -> Option<String> {
    match body {
        ContentBody::Text { text } => text.clone(),
        ContentBody::Refusal { refusal } => refusal.clone(),
        ContentBody::Data { data } => data.clone().map(|data| Json::from(data).to_string()),
        _ => None,
    }
}

/// All texts, joined; `None` if there are none.
fn plain_text(contents: &[Content]) -> Option<String> {
    let words: Vec<_> = contents.iter().filter_map(|content| words(&content.body)).collect();
    if words.is_empty() { None } else { Some(words.join("\n")) }
}

/// A string if there is only text, otherwise parts; `None` if the message is empty.
fn user_content(contents: &[Content]) -> Option<Json> {
    let has_media = contents.iter().any(|content| media_part(&content.body).is_some());
    if !has_media {
        return plain_text(contents).map(Json::from);
    }
    let part = |content: &Content| {
        let text = || words(&content.body).filter(|text| !text.is_empty()).map(text_part);
        media_part(&content.body).or_else(text).map(Json::from)
    };
    Some(contents.iter().filter_map(part).collect::<Vec<_>>().into())
}

fn text_part(text: String) -> JsonObject {
    crate::object! { "type" => "text", "text" => text }
}

/// The part for an image, audio, video or file; `None` for text and for missing values.
fn media_part(body: &ContentBody) -> Option<JsonObject> {
    let given = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
    Some(match body {
        ContentBody::Image { image_url } => {
            crate::object! { "type" => "image_url", "image_url" => wrapped("url", given(image_url)?) }
        }
        // OpenAI has no videos; servers that support them accept this part.
        ContentBody::Video { video_url } => {
            crate::object! { "type" => "video_url", "video_url" => wrapped("url", given(video_url)?) }
        }
        ContentBody::Audio { data, format } => audio_part(&given(data)?, given(format).as_deref()),
        ContentBody::File { file_url, file_id, filename, file_data } => {
            let data_url = given(file_url).filter(|url| url.starts_with("data:"));
            let mut file = JsonObject::new();
            if let Some(id) = given(file_id) {
                file.insert("file_id".to_owned(), id.into());
            } else if let Some(data) = given(file_data).or(data_url) {
                file.insert("filename".to_owned(), given(filename).unwrap_or("file".to_owned()).into());
                file.insert("file_data".to_owned(), data.into());
            } else {
                return given(file_url).map(text_part);
            }
            crate::object! { "type" => "file", "file" => file }
        }
        _ => return None,
    })
}

/// Bare Base64, and a format: servers know `wav` and `mp3`. A URL is passed on unchanged, as some servers fetch it.
fn audio_part(data: &str, format: Option<&str>) -> JsonObject {
    let (media_type, data) = match data.strip_prefix("data:").and_then(|rest| rest.split_once(',')) {
        Some((head, bytes)) => (head.split(';').next(), bytes),
        None => (None, data),
    };
    let extension = || {
        let path = data.starts_with("http").then(|| data.split(['?', '#']).next())??;
        path.rsplit_once('.').map(|(_, extension)| extension).filter(|text| text.len() <= 4)
    };
    let format = format.or(media_type.filter(|text| !text.is_empty())).or_else(extension).unwrap_or("wav");
    let format = match format.trim_start_matches("audio/") {
        "mpeg" | "mp3" => "mp3",
        "x-wav" | "wave" | "vnd.wave" | "wav" => "wav",
        other => other,
    };
    let audio = crate::object! { "data" => data, "format" => format };
    crate::object! { "type" => "input_audio", "input_audio" => audio }
}
