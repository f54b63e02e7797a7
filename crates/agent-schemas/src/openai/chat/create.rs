//! Completions and chunks built from messages.

use super::chunk::{ChatCompletionChunk, ChatCompletionChunkChoice};
use super::completion::{ChatCompletion, ChatCompletionChoice, ChatCompletionMessage};
use super::content::MessageContent;
use super::message::OpenAIMessage;
use super::usage::FinishReason;
use crate::decode::{Decoded, FromJson, ValidationError};
use crate::json::{Json, parse};
use crate::string_enum::not_among;

/// Builds the completion that consists of one assistant message, created at a time in Unix seconds.
///
/// Without a reason, the finish reason is `tool_calls` if the message has calls and `stop` otherwise. Text parts are
/// joined into one text.
///
/// # Errors
/// If the message is not the assistant's, or has parts other than text.
pub fn create_chat_completion(
    message: impl Into<OpenAIMessage>,
    model: &str,
    id: &str,
    finish_reason: Option<FinishReason>,
    created: i64,
) -> Result<ChatCompletion, ValidationError> {
    let inside = |fault: ValidationError| fault.at("message").at(0).at("choices");
    let message = message.into();
    check_role(&message, &["assistant"]).map_err(inside)?;
    let message: ChatCompletionMessage = with_plain_text(message).map_err(inside)?;
    let calls = message.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty());
    let usual = if calls { FinishReason::ToolCalls } else { FinishReason::Stop };
    let choice = ChatCompletionChoice {
        finish_reason: Some(finish_reason.unwrap_or(usual)),
        message,
        ..ChatCompletionChoice::default()
    };
    Ok(ChatCompletion {
        id: id.to_owned(),
        choices: vec![choice],
        created,
        model: model.to_owned(),
        ..ChatCompletion::default()
    })
}

/// Builds the chunk that adds one message to an answer, created at a time in Unix seconds.
///
/// Without a reason, the answer continues. Text parts are joined into one text.
///
/// # Errors
/// If the role is not `developer`, `system`, `user`, `assistant` or `tool`, or there are parts other than text.
pub fn create_chat_completion_chunk(
    message: impl Into<OpenAIMessage>,
    model: &str,
    id: &str,
    finish_reason: Option<FinishReason>,
    created: i64,
) -> Result<ChatCompletionChunk, ValidationError> {
    let inside = |fault: ValidationError| fault.at("delta").at(0).at("choices");
    let message = message.into();
    check_role(&message, &["developer", "system", "user", "assistant", "tool"]).map_err(inside)?;
    let delta = with_plain_text(message).map_err(inside)?;
    let choice = ChatCompletionChunkChoice { delta, finish_reason, ..ChatCompletionChunkChoice::default() };
    Ok(ChatCompletionChunk {
        id: id.to_owned(),
        choices: vec![choice],
        created,
        model: model.to_owned(),
        ..ChatCompletionChunk::default()
    })
}

fn check_role(message: &OpenAIMessage, roles: &[&str]) -> Decoded<()> {
    if roles.contains(&message.role.as_str()) {
        return Ok(());
    }
    Err(not_among(roles, Json::from(message.role.as_str())).at("role"))
}

/// Reads the message as one of a completion. Fields that those lack are kept as extra members.
fn with_plain_text<T: FromJson>(mut message: OpenAIMessage) -> Decoded<T> {
    if let Some(MessageContent::Parts(parts)) = &message.content
        && !message.has_multimodal_content()
    {
        let text = parts.iter().filter_map(|part| part.as_text()).collect();
        message.content = Some(MessageContent::Text(text));
    }
    let json = Json::from_serialize(&message)
        .map_err(|fault| ValidationError::new("serialization", fault.to_string(), Json::Null))?;
    T::from_json(json)
}

/// Whether a text is a JSON object or array.
pub fn is_json_string(text: &str) -> bool {
    matches!(parse(text), Ok(Json::Object(_) | Json::Array(_)))
}
