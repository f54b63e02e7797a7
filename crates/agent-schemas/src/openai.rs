//! Converts messages, tools and stream chunks to and from OpenAI's chat completions JSON. The typed forms are in
//! [`chat`].
//!
//! [`to_openai_messages`] returns a list that model servers with this API accept;
//! [`Message::from_openai_message`](crate::Message::from_openai_message) reads such a list one message at a time.

pub mod chat;
mod incoming;
mod members;
mod outgoing;

use crate::call::FunctionCall;
use crate::content::{Content, ContentBody};
use crate::json::{Json, JsonObject};
use crate::tool::RequestTool;

pub use members::{
    EXTRA_MEMBERS, KNOWN_OF_CALL, MESSAGE_MEMBERS, MESSAGE_PART, REASONING_CONTENT, REASONING_IN_CONTENT,
    REASONING_MEMBER, REASONING_MEMBERS, REASONING_PARTS, attach_to_call, attach_to_message, extra_members,
    extra_members_of_call, extra_members_of_message, is_thinking, keep_extra_members, message_part,
    new_message_part, reasoning_metadata, thinking_text,
};
pub use outgoing::to_openai_messages;

/// The content delta in the first choice of a streamed chunk; `None` if it has neither text nor a tool call.
///
/// Text takes precedence over tool calls; empty text is ignored. Of several tool calls the first is used. Its data has
/// the keys of [`FunctionCall`], with null for anything missing in the chunk. Reasoning, refusals and finish reasons
/// return `None`.
pub fn content_from_chat_completion_chunk(chunk: &Json, index: Option<i64>) -> Option<Content> {
    let delta = chunk.get("choices")?.as_array()?.first()?.get("delta")?;
    let text = delta.get("content").and_then(Json::as_str);
    let call = delta.get("tool_calls").and_then(Json::as_array).and_then(<[Json]>::first);
    let body = match (text, call.and_then(function_call)) {
        (Some(""), Some(call)) | (None, Some(call)) => ContentBody::Data { data: Some(call.into_data()) },
        (Some(text), _) => ContentBody::Text { text: Some(text.to_owned()) },
        (None, None) => return None,
    };
    let mut content = Content::new(body);
    content.delta = Some(true);
    content.index = index;
    Some(content)
}

/// The tool call in a chunk; `None` if it has no function.
fn function_call(call: &Json) -> Option<FunctionCall> {
    let function = call.get("function").filter(|function| !function.is_null())?;
    let text = |json: &Json, key| json.get(key).and_then(Json::as_str).map(str::to_owned);
    Some(FunctionCall {
        call_id: text(call, "id"),
        name: text(function, "name"),
        arguments: text(function, "arguments"),
    })
}

/// The tools as a chat completion request has them; `None` if there are none, as servers reject an empty list.
///
/// Tools other than functions are passed on unchanged.
pub fn to_openai_tools(tools: &[RequestTool]) -> Option<Vec<Json>> {
    if tools.is_empty() {
        return None;
    }
    Some(tools.iter().filter_map(|tool| Json::from_serialize(tool).ok()).collect())
}

/// The call as an entry of an assistant message's `tool_calls`. Nulls stay nulls.
pub fn to_openai_tool_call(call: &FunctionCall) -> Json {
    let function = crate::object! { "name" => call.name.clone(), "arguments" => call.arguments.clone() };
    Json::from(crate::object! { "id" => call.call_id.clone(), "type" => "function", "function" => function })
}

/// An object with one member, the usual wrapper of a content part's value.
fn wrapped(key: &str, value: impl Into<Json>) -> JsonObject {
    JsonObject::from([(key.to_owned(), value.into())])
}
