//! What an answer cost in tokens, and why it ended.

use agent_schemas_derive::Record;

use super::foreign::nulls_are_absent;
use crate::json::JsonObject;
use crate::string_enum::open_enum;

open_enum! {
    /// Why an answer ended. Some servers have reasons of their own.
    pub enum FinishReason {
        /// It was complete, or came to a text where it had to stop.
        Stop = "stop",
        /// It came to the most tokens that it could have.
        Length = "length",
        /// The model calls tools.
        ToolCalls = "tool_calls",
        /// Something was left out by a filter.
        ContentFilter = "content_filter",
        /// The model calls a function in the way before there were tools.
        FunctionCall = "function_call",
    }
}

/// What an answer cost.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct CompletionUsage {
    /// Tokens of the answer.
    #[record(default)]
    pub completion_tokens: i64,
    /// Tokens of the request.
    #[record(default)]
    pub prompt_tokens: i64,
    /// Both.
    #[record(default)]
    pub total_tokens: i64,
    /// What the tokens of the answer were.
    pub completion_tokens_details: Option<CompletionTokensDetails>,
    /// What the tokens of the request were.
    pub prompt_tokens_details: Option<PromptTokensDetails>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// What the tokens of an answer were.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct CompletionTokensDetails {
    /// Tokens of the predicted output that came in the answer.
    pub accepted_prediction_tokens: Option<i64>,
    /// Tokens of sound.
    pub audio_tokens: Option<i64>,
    /// Tokens of reasoning.
    pub reasoning_tokens: Option<i64>,
    /// Tokens of the predicted output that did not come in the answer, but count.
    pub rejected_prediction_tokens: Option<i64>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// What the tokens of a request were.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct PromptTokensDetails {
    /// Tokens of sound.
    pub audio_tokens: Option<i64>,
    /// Tokens that the server had in its cache.
    pub cached_tokens: Option<i64>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}
