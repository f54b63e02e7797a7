//! What an answer cost in tokens, and why it ended.

use super::foreign::nulls_are_absent;
use crate::record::record;
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

record! {
    /// What an answer cost.
    #[prepare(nulls_are_absent)]
    pub struct CompletionUsage {
        /// Tokens of the answer.
        completion_tokens: i64 => 0,
        /// Tokens of the request.
        prompt_tokens: i64 => 0,
        /// Both.
        total_tokens: i64 => 0,
        /// What the tokens of the answer were.
        completion_tokens_details: Option<CompletionTokensDetails>,
        /// What the tokens of the request were.
        prompt_tokens_details: Option<PromptTokensDetails>,
        ..extra
    }
}

record! {
    /// What the tokens of an answer were.
    #[prepare(nulls_are_absent)]
    pub struct CompletionTokensDetails {
        /// Tokens of the predicted output that came in the answer.
        accepted_prediction_tokens: Option<i64>,
        /// Tokens of sound.
        audio_tokens: Option<i64>,
        /// Tokens of reasoning.
        reasoning_tokens: Option<i64>,
        /// Tokens of the predicted output that did not come in the answer, but count.
        rejected_prediction_tokens: Option<i64>,
        ..extra
    }
}

record! {
    /// What the tokens of a request were.
    #[prepare(nulls_are_absent)]
    pub struct PromptTokensDetails {
        /// Tokens of sound.
        audio_tokens: Option<i64>,
        /// Tokens that the server had in its cache.
        cached_tokens: Option<i64>,
        ..extra
    }
}
