//! Log probabilities of output tokens.

use super::foreign::nulls_are_absent;
use crate::record::record;

record! {
    /// Log probabilities of output tokens.
    #[prepare(nulls_are_absent)]
    pub struct ChoiceLogprobs {
        /// The tokens of the text.
        content: Option<Vec<ChatCompletionTokenLogprob>>,
        /// The tokens of the refusal.
        refusal: Option<Vec<ChatCompletionTokenLogprob>>,
        ..extra
    }
}

record! {
    /// The log probability of one output token.
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionTokenLogprob {
        /// The token.
        token: String => String::new(),
        /// The token's bytes in UTF-8. A character may span several tokens, which are not valid text on their own.
        bytes: Option<Vec<i64>>,
        /// The natural logarithm of its probability; -9999 means very unlikely.
        logprob: f64 => -9999.0,
        /// The most likely tokens at this position.
        top_logprobs: Vec<TopLogprob> => Vec::<TopLogprob>::new(),
        ..extra
    }
}

record! {
    /// The log probability of a candidate token.
    #[prepare(nulls_are_absent)]
    pub struct TopLogprob {
        /// The token.
        token: String => String::new(),
        /// Its bytes in UTF-8.
        bytes: Option<Vec<i64>>,
        /// The natural logarithm of its probability; -9999 means very unlikely.
        logprob: f64 => -9999.0,
        ..extra
    }
}
