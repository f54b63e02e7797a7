//! The answer of a model, whole.

use std::borrow::Cow;

use agent_schemas_derive::Record;

use super::foreign::nulls_are_absent;
use super::logprobs::ChoiceLogprobs;
use super::usage::{CompletionUsage, FinishReason};
use crate::json::JsonObject;

/// The answer of a model to a conversation.
///
/// Servers leave out much of it; whatever they leave out is empty here. What they add is kept.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
#[record(example = r#"{
    "id": "chatcmpl-1", "choices": [{
        "finish_reason": "stop", "index": 0, "logprobs": null, "message": {
            "content": "6 × 7 = 42", "refusal": null, "role": "assistant", "annotations": null, "audio": null,
            "function_call": null, "tool_calls": null
        }
    }], "created": 1800000000, "model": "qwen-max", "object": "chat.completion", "service_tier": null,
    "system_fingerprint": null, "usage": null
}"#)]
pub struct ChatCompletion {
    /// Its id.
    #[record(default)]
    pub id: String,
    /// The answers: as many as the request's `n`.
    #[record(default)]
    pub choices: Vec<ChatCompletionChoice>,
    /// When it was made, in Unix seconds.
    #[record(default)]
    pub created: i64,
    /// The model.
    #[record(default)]
    pub model: String,
    /// Always `chat.completion`.
    #[record(default = Cow::Borrowed("chat.completion"), constant = "chat.completion")]
    pub object: Cow<'static, str>,
    /// How the request was served: `default`, `flex`, `priority`, …
    pub service_tier: Option<String>,
    /// The server's configuration; where it changes, the same seed may give another answer.
    pub system_fingerprint: Option<String>,
    /// What the answer cost.
    pub usage: Option<CompletionUsage>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// One of the answers.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChatCompletionChoice {
    /// Why it ended.
    pub finish_reason: Option<FinishReason>,
    /// Its position among the answers.
    #[record(default)]
    pub index: i64,
    /// How likely its tokens were, if the request asked for that.
    pub logprobs: Option<ChoiceLogprobs>,
    /// What the model said and called.
    #[record(unset)]
    pub message: ChatCompletionMessage,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// What a model said and called.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChatCompletionMessage {
    /// The text.
    pub content: Option<String>,
    /// The words with which the model refused.
    pub refusal: Option<String>,
    /// Always `assistant`.
    #[record(default = "assistant".to_owned())]
    pub role: String,
    /// Where parts of the text come from.
    pub annotations: Option<Vec<ChatCompletionAnnotation>>,
    /// The answer as sound.
    pub audio: Option<ChatCompletionAudio>,
    /// The call of a function in the way before there were tools.
    pub function_call: Option<ChatCompletionFunction>,
    /// The tools that the model calls.
    pub tool_calls: Option<Vec<ChatCompletionToolCall>>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChatCompletionToolCall {
    /// Names the call; the answer names it too.
    #[record(default)]
    pub id: String,
    /// The function and its arguments; null for other kinds of tools.
    pub function: Option<ChatCompletionFunction>,
    /// What kind of tool it is.
    #[record(name = "type", default = "function".to_owned())]
    pub kind: String,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// A function that the model calls.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChatCompletionFunction {
    /// The arguments as JSON text. Models write it, so it may be damaged.
    #[record(default)]
    pub arguments: String,
    /// The function's name.
    #[record(default)]
    pub name: String,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// Where a part of a text comes from.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChatCompletionAnnotation {
    /// Usually `url_citation`.
    #[record(name = "type", default = "url_citation".to_owned())]
    pub kind: String,
    /// The place in the web.
    pub url_citation: Option<UrlCitation>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// A place in the web from which a part of a text comes.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct UrlCitation {
    /// The position of the part's last character.
    #[record(default)]
    pub end_index: i64,
    /// The position of the part's first character.
    #[record(default)]
    pub start_index: i64,
    /// The page's title.
    #[record(default)]
    pub title: String,
    /// The page's address.
    #[record(default)]
    pub url: String,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// An answer as sound.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChatCompletionAudio {
    /// Its id, by which later requests may refer to it.
    #[record(default)]
    pub id: String,
    /// The sound in Base64.
    #[record(default)]
    pub data: String,
    /// Until when the id is known, in Unix seconds.
    #[record(default)]
    pub expires_at: i64,
    /// What is said.
    #[record(default)]
    pub transcript: String,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}
