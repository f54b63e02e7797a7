//! A model's answer in chunks.

use std::borrow::Cow;

use agent_schemas_derive::Record;

use super::foreign::nulls_are_absent;
use super::logprobs::ChoiceLogprobs;
use super::usage::{CompletionUsage, FinishReason};
use crate::json::JsonObject;

/// A chunk of a streamed chat completion.
///
/// Servers omit many members; omitted ones are empty here. Vendor-specific members are kept, such as reasoning in
/// `delta`.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
#[record(example = r#"{
    "id": "chatcmpl-1", "choices": [{
        "delta": {
            "content": "6 × 7", "function_call": null, "refusal": null, "role": "assistant", "tool_calls": null
        },
        "finish_reason": null, "index": 0, "logprobs": null
    }], "created": 1800000000, "model": "qwen-max", "object": "chat.completion.chunk", "service_tier": null,
    "system_fingerprint": null, "usage": null
}"#)]
pub struct ChatCompletionChunk {
    /// The completion id, the same in all chunks.
    #[record(default)]
    pub id: String,
    /// The choices; empty in a chunk that only reports usage.
    #[record(default)]
    pub choices: Vec<ChatCompletionChunkChoice>,
    /// When the completion was created, in Unix seconds. The same in all chunks.
    #[record(default)]
    pub created: i64,
    /// The model.
    #[record(default)]
    pub model: String,
    /// Always `chat.completion.chunk`.
    #[record(default = Cow::Borrowed("chat.completion.chunk"), constant = "chat.completion.chunk")]
    pub object: Cow<'static, str>,
    /// The service tier that processed the request: `default`, `flex`, `priority`, …
    pub service_tier: Option<String>,
    /// The server's configuration. If it changes, the same seed may produce another answer.
    pub system_fingerprint: Option<String>,
    /// The token usage so far. Most servers send it only in the last chunk, and only on request.
    pub usage: Option<CompletionUsage>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// A part of one choice.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChatCompletionChunkChoice {
    /// The new part of the answer.
    #[record(unset)]
    pub delta: ChoiceDelta,
    /// Why the answer ended; null until it ends.
    pub finish_reason: Option<FinishReason>,
    /// The index of the choice.
    #[record(default)]
    pub index: i64,
    /// Log probabilities of the tokens, if requested.
    pub logprobs: Option<ChoiceLogprobs>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// An increment of an answer.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChoiceDelta {
    /// The next part of the text.
    pub content: Option<String>,
    /// The next part of a function call (deprecated in favour of `tool_calls`).
    pub function_call: Option<ChoiceDeltaFunction>,
    /// The next part of a refusal.
    pub refusal: Option<String>,
    /// The role; usually in the first chunk only.
    pub role: Option<String>,
    /// The next parts of the tool calls.
    pub tool_calls: Option<Vec<ChoiceDeltaToolCall>>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// An increment of a tool call.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChoiceDeltaToolCall {
    /// The index of the call. Some servers omit it.
    pub index: Option<i64>,
    /// The call id; usually in the first part only.
    pub id: Option<String>,
    /// The function name and the next part of its arguments.
    pub function: Option<ChoiceDeltaFunction>,
    /// The tool type: `function`.
    #[record(name = "type")]
    pub kind: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// An increment of a function call.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChoiceDeltaFunction {
    /// The next part of the arguments, as JSON text.
    pub arguments: Option<String>,
    /// The function name; usually in the first part only.
    pub name: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}
