//! The answer of a model, whole.

use std::borrow::Cow;

use super::foreign::nulls_are_absent;
use super::logprobs::ChoiceLogprobs;
use super::usage::{CompletionUsage, FinishReason};
use crate::record::record;

record! {
    /// The answer of a model to a conversation.
    ///
    /// Servers leave out much of it; whatever they leave out is empty here. What they add is kept.
    #[example(r#"{
        "id": "chatcmpl-1", "choices": [{
            "finish_reason": "stop", "index": 0, "logprobs": null, "message": {
                "content": "6 × 7 = 42", "refusal": null, "role": "assistant", "annotations": null, "audio": null,
                "function_call": null, "tool_calls": null
            }
        }], "created": 1800000000, "model": "qwen-max", "object": "chat.completion", "service_tier": null,
        "system_fingerprint": null, "usage": null
    }"#)]
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletion {
        /// Its id.
        id: String => String::new(),
        /// The answers: as many as the request's `n`.
        choices: Vec<ChatCompletionChoice> => Vec::<ChatCompletionChoice>::new(),
        /// When it was made, in Unix seconds.
        created: i64 => 0,
        /// The model.
        model: String => String::new(),
        /// Always `chat.completion`.
        #[constant("chat.completion")]
        object: Cow<'static, str> => Cow::Borrowed("chat.completion"),
        /// How the request was served: `default`, `flex`, `priority`, …
        service_tier: Option<String>,
        /// The server's configuration; where it changes, the same seed may give another answer.
        system_fingerprint: Option<String>,
        /// What the answer cost.
        usage: Option<CompletionUsage>,
        ..extra
    }
}

record! {
    /// One of the answers.
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionChoice {
        /// Why it ended.
        finish_reason: Option<FinishReason>,
        /// Its position among the answers.
        index: i64 => 0,
        /// How likely its tokens were, if the request asked for that.
        logprobs: Option<ChoiceLogprobs>,
        /// What the model said and called.
        message: ChatCompletionMessage | ChatCompletionMessage::default(),
        ..extra
    }
}

record! {
    /// What a model said and called.
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionMessage {
        /// The text.
        content: Option<String>,
        /// The words with which the model refused.
        refusal: Option<String>,
        /// Always `assistant`.
        role: String => "assistant".to_owned(),
        /// Where parts of the text come from.
        annotations: Option<Vec<ChatCompletionAnnotation>>,
        /// The answer as sound.
        audio: Option<ChatCompletionAudio>,
        /// The call of a function in the way before there were tools.
        function_call: Option<ChatCompletionFunction>,
        /// The tools that the model calls.
        tool_calls: Option<Vec<ChatCompletionToolCall>>,
        ..extra
    }
}

record! {
    /// A call of a tool.
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionToolCall {
        /// Names the call; the answer names it too.
        id: String => String::new(),
        /// The function and its arguments; null for other kinds of tools.
        function: Option<ChatCompletionFunction>,
        /// What kind of tool it is.
        kind as "type": String => "function".to_owned(),
        ..extra
    }
}

record! {
    /// A function that the model calls.
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionFunction {
        /// The arguments as JSON text. Models write it, so it may be damaged.
        arguments: String => String::new(),
        /// The function's name.
        name: String => String::new(),
        ..extra
    }
}

record! {
    /// Where a part of a text comes from.
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionAnnotation {
        /// Usually `url_citation`.
        kind as "type": String => "url_citation".to_owned(),
        /// The place in the web.
        url_citation: Option<UrlCitation>,
        ..extra
    }
}

record! {
    /// A place in the web from which a part of a text comes.
    #[prepare(nulls_are_absent)]
    pub struct UrlCitation {
        /// The position of the part's last character.
        end_index: i64 => 0,
        /// The position of the part's first character.
        start_index: i64 => 0,
        /// The page's title.
        title: String => String::new(),
        /// The page's address.
        url: String => String::new(),
        ..extra
    }
}

record! {
    /// An answer as sound.
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionAudio {
        /// Its id, by which later requests may refer to it.
        id: String => String::new(),
        /// The sound in Base64.
        data: String => String::new(),
        /// Until when the id is known, in Unix seconds.
        expires_at: i64 => 0,
        /// What is said.
        transcript: String => String::new(),
        ..extra
    }
}
