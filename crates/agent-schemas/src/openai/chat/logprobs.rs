//! How likely the tokens of an answer were.

use super::foreign::nulls_are_absent;
use crate::record::record;

record! {
    /// How likely the tokens of an answer were.
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
    /// How likely one token of an answer was.
    #[prepare(nulls_are_absent)]
    pub struct ChatCompletionTokenLogprob {
        /// The token.
        token: String => String::new(),
        /// Its bytes in UTF-8. Some characters are in several tokens, which are no text by themselves.
        bytes: Option<Vec<i64>>,
        /// The natural logarithm of its probability; -9999 is very unlikely.
        logprob: f64 => -9999.0,
        /// The likeliest tokens at this position.
        top_logprobs: Vec<TopLogprob> => Vec::<TopLogprob>::new(),
        ..extra
    }
}

record! {
    /// How likely a token was that may not have been taken.
    #[prepare(nulls_are_absent)]
    pub struct TopLogprob {
        /// The token.
        token: String => String::new(),
        /// Its bytes in UTF-8.
        bytes: Option<Vec<i64>>,
        /// The natural logarithm of its probability; -9999 is very unlikely.
        logprob: f64 => -9999.0,
        ..extra
    }
}
