//! Token usage and finish reasons.

use agent_schemas_derive::Record;

use super::foreign::nulls_are_absent;
use crate::json::JsonObject;
use crate::string_enum::open_enum;

open_enum! {
    /// Why an answer ended. Some servers have additional reasons.
    pub enum FinishReason {
        /// The answer was complete, or reached a stop sequence.
        Stop = "stop",
        /// The answer reached the maximum number of tokens.
        Length = "length",
        /// The model calls tools.
        ToolCalls = "tool_calls",
        /// A content filter removed something.
        ContentFilter = "content_filter",
        /// The model calls a function (deprecated in favour of `tool_calls`).
        FunctionCall = "function_call",
    }
}

/// The token usage of an answer.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct CompletionUsage {
    /// Output tokens.
    #[record(default)]
    pub completion_tokens: i64,
    /// Input tokens.
    #[record(default)]
    pub prompt_tokens: i64,
    /// Input and output tokens.
    #[record(default)]
    pub total_tokens: i64,
    /// Details of the output tokens.
    pub completion_tokens_details: Option<CompletionTokensDetails>,
    /// Details of the input tokens.
    pub prompt_tokens_details: Option<PromptTokensDetails>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// Details of the output tokens.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct CompletionTokensDetails {
    /// Tokens of the predicted output that appeared in the answer.
    pub accepted_prediction_tokens: Option<i64>,
    /// Audio tokens.
    pub audio_tokens: Option<i64>,
    /// Reasoning tokens.
    pub reasoning_tokens: Option<i64>,
    /// Tokens of the predicted output that did not appear in the answer, but count.
    pub rejected_prediction_tokens: Option<i64>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// Details of the input tokens.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct PromptTokensDetails {
    /// Audio tokens.
    pub audio_tokens: Option<i64>,
    /// Tokens that were in the server's cache.
    pub cached_tokens: Option<i64>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}
