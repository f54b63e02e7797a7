//! A model's answer in chunks.

use std::borrow::Cow;

use super::foreign::nulls_are_absent;
use super::logprobs::ChoiceLogprobs;
use super::usage::{CompletionUsage, FinishReason};
use crate::record::record;

record! {
    /// A chunk of a streamed chat completion.
    ///
    /// Servers omit many members; omitted ones are empty here. Vendor-specific members are kept, such as reasoning in
    /// `delta`.
    #[example(r#"{
        "id": "chatcmpl-1", "choices": [{
            "delta": {
                "content": "6 × 7", "function_call": null, "refusal": null, "role": "assistant", "tool_calls": null
            },
            "finish_reason": null, "index": 0, "logprobs": null
        }], "created": 1800000000, "model": "qwen-max", "object": "chat.completion.chunk", "service_tier": null,
        "system_fingerprint": null, "usage": null
    }"#)]
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionChunk {
        /// The completion id, the same in all chunks.
        id: String => String::new(),
        /// The choices; empty in a chunk that only reports usage.
        choices: Vec<ChatCompletionChunkChoice> => Vec::<ChatCompletionChunkChoice>::new(),
        /// When the completion was created, in Unix seconds. The same in all chunks.
        created: i64 => 0,
        /// The model.
        model: String => String::new(),
        /// Always `chat.completion.chunk`.
        #[constant("chat.completion.chunk")]
        object: Cow<'static, str> => Cow::Borrowed("chat.completion.chunk"),
        /// The service tier that processed the request: `default`, `flex`, `priority`, …
        service_tier: Option<String>,
        /// The server's configuration. If it changes, the same seed may produce another answer.
        system_fingerprint: Option<String>,
        /// The token usage so far. Most servers send it only in the last chunk, and only on request.
        usage: Option<CompletionUsage>,
        ..extra
    }
}

record! {
    /// A part of one choice.
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionChunkChoice {
        /// The new part of the answer.
        delta: ChoiceDelta | ChoiceDelta::default(),
        /// Why the answer ended; null until it ends.
        finish_reason: Option<FinishReason>,
        /// The index of the choice.
        index: i64 => 0,
        /// Log probabilities of the tokens, if requested.
        logprobs: Option<ChoiceLogprobs>,
        ..extra
    }
}

record! {
    /// An increment of an answer.
    #[prepare(nulls_are_absent)]
    pub struct ChoiceDelta {
        /// The next part of the text.
        content: Option<String>,
        /// The next part of a function call (deprecated in favour of `tool_calls`).
        function_call: Option<ChoiceDeltaFunction>,
        /// The next part of a refusal.
        refusal: Option<String>,
        /// The role; usually in the first chunk only.
        role: Option<String>,
        /// The next parts of the tool calls.
        tool_calls: Option<Vec<ChoiceDeltaToolCall>>,
        ..extra
    }
}

record! {
    /// An increment of a tool call.
    #[prepare(nulls_are_absent)]
    pub struct ChoiceDeltaToolCall {
        /// The index of the call. Some servers omit it.
        index: Option<i64>,
        /// The call id; usually in the first part only.
        id: Option<String>,
        /// The function name and the next part of its arguments.
        function: Option<ChoiceDeltaFunction>,
        /// The tool type: `function`.
        kind as "type": Option<String>,
        ..extra
    }
}

record! {
    /// An increment of a function call.
    #[prepare(nulls_are_absent)]
    pub struct ChoiceDeltaFunction {
        /// The next part of the arguments, as JSON text.
        arguments: Option<String>,
        /// The function name; usually in the first part only.
        name: Option<String>,
        ..extra
    }
}
