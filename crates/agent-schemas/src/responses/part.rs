//! What messages are made of.

use agent_schemas_derive::Record;

use crate::json::Json;
use crate::response_api::{ResponseInputFile, ResponseInputImage, ResponseInputText};
use crate::string_enum::literal;

use super::one_of::one_of;

/// Text that an agent said.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct OutputText {
    /// Always `"output_text"`.
    #[record(name = "type", default = OutputTextTag)]
    pub kind: OutputTextTag,
    /// The text.
    #[record(required)]
    pub text: String,
    /// What it refers to.
    #[record(unset)]
    pub annotations: Vec<Json>,
    /// The likeliest tokens at each position.
    #[record(unset)]
    pub logprobs: Vec<Json>,
}

/// An agent's words of refusal.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Refusal {
    /// Always `"refusal"`.
    #[record(name = "type", default = RefusalTag)]
    pub kind: RefusalTag,
    /// The words.
    #[record(required)]
    pub refusal: String,
}

/// A part of a model's reasoning.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ReasoningText {
    /// Always `"reasoning_text"`.
    #[record(name = "type", default = ReasoningTextTag)]
    pub kind: ReasoningTextTag,
    /// The text.
    #[record(required)]
    pub text: String,
}

literal! {
    /// The `type` of an [`OutputText`].
    pub struct OutputTextTag = "output_text";
}

literal! {
    /// The `type` of a [`Refusal`].
    pub struct RefusalTag = "refusal";
}

literal! {
    /// The `type` of a [`ReasoningText`].
    pub struct ReasoningTextTag = "reasoning_text";
}

one_of! {
    /// A part of a message.
    pub enum ResponsePart {
        /// Text of the agent.
        OutputText "output_text" (OutputText),
        /// Words of refusal.
        Refusal "refusal" (Refusal),
        /// Reasoning, in reasoning items only.
        ReasoningText "reasoning_text" (ReasoningText),
        /// Text of the user or the application.
        InputText "input_text" (ResponseInputText),
        /// A picture.
        InputImage "input_image" (ResponseInputImage),
        /// A file.
        InputFile "input_file" (ResponseInputFile),
    }
}

impl OutputText {
    /// Text without annotations.
    pub fn new(text: impl Into<String>) -> Self {
        OutputText { text: text.into(), ..OutputText::default() }
    }
}

impl Refusal {
    /// These words.
    pub fn new(refusal: impl Into<String>) -> Self {
        Refusal { refusal: refusal.into(), ..Refusal::default() }
    }
}

impl ReasoningText {
    /// This text.
    pub fn new(text: impl Into<String>) -> Self {
        ReasoningText { text: text.into(), ..ReasoningText::default() }
    }
}
