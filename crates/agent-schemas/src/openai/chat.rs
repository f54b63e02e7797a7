//! The types of OpenAI's chat completions: requests, messages, answers and chunks of answers.

mod common;
mod format;
mod parameters;
mod tool_choice;

pub(crate) use common::with_parameters;
pub use format::{JsonSchemaFormat, ResponseFormat, ResponseFormatOrName, ResponseFormatType};
pub use parameters::{Parameters, StreamOptions};
pub use tool_choice::{ToolChoice, ToolChoiceInputFunction, ToolChoiceOrMode};
