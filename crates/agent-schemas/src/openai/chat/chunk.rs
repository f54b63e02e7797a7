//! The answer of a model, in chunks.

use std::borrow::Cow;

use agent_schemas_derive::Record;

use super::foreign::nulls_are_absent;
use super::logprobs::ChoiceLogprobs;
use super::usage::{CompletionUsage, FinishReason};
use crate::json::JsonObject;

/// A part of an answer of a model.
///
/// Servers leave out much of it; whatever they leave out is empty here. What they add is kept, as reasoning is
/// in `delta`.
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
    /// The answer's id, the same in all chunks.
    #[record(default)]
    pub id: String,
    /// The parts of the answers; none in a chunk that only tells the usage.
    #[record(default)]
    pub choices: Vec<ChatCompletionChunkChoice>,
    /// When the answer was begun, in Unix seconds, the same in all chunks.
    #[record(default)]
    pub created: i64,
    /// The model.
    #[record(default)]
    pub model: String,
    /// Always `chat.completion.chunk`.
    #[record(default = Cow::Borrowed("chat.completion.chunk"), constant = "chat.completion.chunk")]
    pub object: Cow<'static, str>,
    /// How the request was served: `default`, `flex`, `priority`, …
    pub service_tier: Option<String>,
    /// The server's configuration; where it changes, the same seed may give another answer.
    pub system_fingerprint: Option<String>,
    /// What the answer cost so far; most servers tell it in the last chunk only, and only if asked to.
    pub usage: Option<CompletionUsage>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// A part of one of the answers.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChatCompletionChunkChoice {
    /// What the part adds.
    #[record(unset)]
    pub delta: ChoiceDelta,
    /// Why the answer ended; null until it does.
    pub finish_reason: Option<FinishReason>,
    /// The answer's position among the answers.
    #[record(default)]
    pub index: i64,
    /// How likely the part's tokens were, if the request asked for that.
    pub logprobs: Option<ChoiceLogprobs>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// What a chunk adds to an answer.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChoiceDelta {
    /// More of the text.
    pub content: Option<String>,
    /// More of the call of a function in the way before there were tools.
    pub function_call: Option<ChoiceDeltaFunction>,
    /// More of the words with which the model refuses.
    pub refusal: Option<String>,
    /// Who speaks; usually in the first chunk only.
    pub role: Option<String>,
    /// More of the calls of tools.
    pub tool_calls: Option<Vec<ChoiceDeltaToolCall>>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// What a chunk adds to a call of a tool.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChoiceDeltaToolCall {
    /// The call's position among the calls of the answer. Some servers leave it out.
    pub index: Option<i64>,
    /// Names the call; usually in its first part only.
    pub id: Option<String>,
    /// More of the function and its arguments.
    pub function: Option<ChoiceDeltaFunction>,
    /// What kind of tool it is: `function`.
    #[record(name = "type")]
    pub kind: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// What a chunk adds to a function that the model calls.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChoiceDeltaFunction {
    /// More of the arguments as JSON text.
    pub arguments: Option<String>,
    /// The function's name; usually in the call's first part only.
    pub name: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}
