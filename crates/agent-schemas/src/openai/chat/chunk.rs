//! The answer of a model, in chunks.

use std::borrow::Cow;

use super::foreign::nulls_are_absent;
use super::logprobs::ChoiceLogprobs;
use super::usage::{CompletionUsage, FinishReason};
use crate::record::record;

record! {
    /// A part of an answer of a model.
    ///
    /// Servers leave out much of it; whatever they leave out is empty here. What they add is kept, as reasoning is
    /// in `delta`.
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
        /// The answer's id, the same in all chunks.
        id: String => String::new(),
        /// The parts of the answers; none in a chunk that only tells the usage.
        choices: Vec<ChatCompletionChunkChoice> => Vec::<ChatCompletionChunkChoice>::new(),
        /// When the answer was begun, in Unix seconds, the same in all chunks.
        created: i64 => 0,
        /// The model.
        model: String => String::new(),
        /// Always `chat.completion.chunk`.
        #[constant("chat.completion.chunk")]
        object: Cow<'static, str> => Cow::Borrowed("chat.completion.chunk"),
        /// How the request was served: `default`, `flex`, `priority`, …
        service_tier: Option<String>,
        /// The server's configuration; where it changes, the same seed may give another answer.
        system_fingerprint: Option<String>,
        /// What the answer cost so far; most servers tell it in the last chunk only, and only if asked to.
        usage: Option<CompletionUsage>,
        ..extra
    }
}

record! {
    /// A part of one of the answers.
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionChunkChoice {
        /// What the part adds.
        delta: ChoiceDelta | ChoiceDelta::default(),
        /// Why the answer ended; null until it does.
        finish_reason: Option<FinishReason>,
        /// The answer's position among the answers.
        index: i64 => 0,
        /// How likely the part's tokens were, if the request asked for that.
        logprobs: Option<ChoiceLogprobs>,
        ..extra
    }
}

record! {
    /// What a chunk adds to an answer.
    #[prepare(nulls_are_absent)]
    pub struct ChoiceDelta {
        /// More of the text.
        content: Option<String>,
        /// More of the call of a function in the way before there were tools.
        function_call: Option<ChoiceDeltaFunction>,
        /// More of the words with which the model refuses.
        refusal: Option<String>,
        /// Who speaks; usually in the first chunk only.
        role: Option<String>,
        /// More of the calls of tools.
        tool_calls: Option<Vec<ChoiceDeltaToolCall>>,
        ..extra
    }
}

record! {
    /// What a chunk adds to a call of a tool.
    #[prepare(nulls_are_absent)]
    pub struct ChoiceDeltaToolCall {
        /// The call's position among the calls of the answer. Some servers leave it out.
        index: Option<i64>,
        /// Names the call; usually in its first part only.
        id: Option<String>,
        /// More of the function and its arguments.
        function: Option<ChoiceDeltaFunction>,
        /// What kind of tool it is: `function`.
        kind as "type": Option<String>,
        ..extra
    }
}

record! {
    /// What a chunk adds to a function that the model calls.
    #[prepare(nulls_are_absent)]
    pub struct ChoiceDeltaFunction {
        /// More of the arguments as JSON text.
        arguments: Option<String>,
        /// The function's name; usually in the call's first part only.
        name: Option<String>,
        ..extra
    }
}
