//! How likely the tokens of an answer were.

use agent_schemas_derive::Record;

use super::foreign::nulls_are_absent;
use crate::json::JsonObject;

/// How likely the tokens of an answer were.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChoiceLogprobs {
    /// The tokens of the text.
    pub content: Option<Vec<ChatCompletionTokenLogprob>>,
    /// The tokens of the refusal.
    pub refusal: Option<Vec<ChatCompletionTokenLogprob>>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// How likely one token of an answer was.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChatCompletionTokenLogprob {
    /// The token.
    #[record(default)]
    pub token: String,
    /// Its bytes in UTF-8. Some characters are in several tokens, which are no text by themselves.
    pub bytes: Option<Vec<i64>>,
    /// The natural logarithm of its probability; -9999 is very unlikely.
    #[record(default = -9999.0)]
    pub logprob: f64,
    /// The likeliest tokens at this position.
    #[record(default)]
    pub top_logprobs: Vec<TopLogprob>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// How likely a token was that may not have been taken.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct TopLogprob {
    /// The token.
    #[record(default)]
    pub token: String,
    /// Its bytes in UTF-8.
    pub bytes: Option<Vec<i64>>,
    /// The natural logarithm of its probability; -9999 is very unlikely.
    #[record(default = -9999.0)]
    pub logprob: f64,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}
