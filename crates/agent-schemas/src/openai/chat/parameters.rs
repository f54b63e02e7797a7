//! The parameters of a chat completion request: sampling, limits, tools and the format of the answer.

use crate::openai::chat::with_parameters;

with_parameters! {
    /// The parameters of a chat completion request, except model and messages.
    ///
    /// Of the numbers only `n` is checked. The model server checks the others.
    #[record(example = r#"{"temperature": 0.2, "max_tokens": 512, "tool_choice": "auto"}"#)]
    #[non_exhaustive]
    pub struct Parameters {}
}
