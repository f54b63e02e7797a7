//! What a chat completion request says besides its messages: sampling, limits, tools and the form of the answer.

use crate::openai::chat::with_parameters;

with_parameters! {
    /// What a chat completion request says besides model and messages.
    ///
    /// Of the numbers only `n` is checked; the model server checks the others.
    #[record(example = r#"{"temperature": 0.2, "max_tokens": 512, "tool_choice": "auto"}"#)]
    #[non_exhaustive]
    pub struct Parameters {}
}
