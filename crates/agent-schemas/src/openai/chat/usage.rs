//! Token usage and finish reasons.

use super::foreign::nulls_are_absent;
use crate::record::record;
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

record! {
    /// The token usage of an answer.
    #[prepare(nulls_are_absent)]
    pub struct CompletionUsage {
        /// Output tokens.
        completion_tokens: i64 => 0,
        /// Input tokens.
        prompt_tokens: i64 => 0,
        /// Input and output tokens.
        total_tokens: i64 => 0,
        /// Details of the output tokens.
        completion_tokens_details: Option<CompletionTokensDetails>,
        /// Details of the input tokens.
        prompt_tokens_details: Option<PromptTokensDetails>,
        ..extra
    }
}

record! {
    /// Details of the output tokens.
    #[prepare(nulls_are_absent)]
    pub struct CompletionTokensDetails {
        /// Tokens of the predicted output that appeared in the answer.
        accepted_prediction_tokens: Option<i64>,
        /// Audio tokens.
        audio_tokens: Option<i64>,
        /// Reasoning tokens.
        reasoning_tokens: Option<i64>,
        /// Tokens of the predicted output that did not appear in the answer, but count.
        rejected_prediction_tokens: Option<i64>,
        ..extra
    }
}

record! {
    /// Details of the input tokens.
    #[prepare(nulls_are_absent)]
    pub struct PromptTokensDetails {
        /// Audio tokens.
        audio_tokens: Option<i64>,
        /// Tokens that were in the server's cache.
        cached_tokens: Option<i64>,
        ..extra
    }
}
