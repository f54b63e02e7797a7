//! Log probabilities of output tokens.

use agent_schemas_derive::Record;

use super::foreign::nulls_are_absent;
use crate::json::JsonObject;

/// Log probabilities of output tokens.
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

/// The log probability of one output token.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct ChatCompletionTokenLogprob {
    /// The token.
    #[record(default)]
    pub token: String,
    /// The token's bytes in UTF-8. A character may span several tokens, which are not valid text on their own.
    pub bytes: Option<Vec<i64>>,
    /// The natural logarithm of its probability; -9999 means very unlikely.
    #[record(default = -9999.0)]
    pub logprob: f64,
    /// The most likely tokens at this position.
    #[record(default)]
    pub top_logprobs: Vec<TopLogprob>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// The log probability of a candidate token.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = nulls_are_absent)]
pub struct TopLogprob {
    /// The token.
    #[record(default)]
    pub token: String,
    /// Its bytes in UTF-8.
    pub bytes: Option<Vec<i64>>,
    /// The natural logarithm of its probability; -9999 means very unlikely.
    #[record(default = -9999.0)]
    pub logprob: f64,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}
