//! What messages are made of.

use crate::json::Json;
use crate::record::record;
use crate::response_api::{ResponseInputFile, ResponseInputImage, ResponseInputText};
use crate::string_enum::literal;

use super::one_of::one_of;

record! {
    /// Text that an agent said.
    pub struct OutputText {
        /// Always `"output_text"`.
        kind as "type": OutputTextTag => OutputTextTag,
        /// The text.
        text: String = required,
        /// What it refers to.
        annotations: Vec<Json> | Vec::new(),
        /// The likeliest tokens at each position.
        logprobs: Vec<Json> | Vec::new(),
    }
}

record! {
    /// An agent's words of refusal.
    pub struct Refusal {
        /// Always `"refusal"`.
        kind as "type": RefusalTag => RefusalTag,
        /// The words.
        refusal: String = required,
    }
}

record! {
    /// A part of a model's reasoning.
    pub struct ReasoningText {
        /// Always `"reasoning_text"`.
        kind as "type": ReasoningTextTag => ReasoningTextTag,
        /// The text.
        text: String = required,
    }
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
