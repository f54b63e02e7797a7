//! Requests to OpenAI's Responses API.

mod input;
mod settings;

use agent_schemas_derive::Record;
use indexmap::IndexMap;

use crate::decode::{Decoded, FromJson, map};
use crate::json::{Json, JsonObject};

pub use input::{
    ResponseInput, ResponseInputFile, ResponseInputImage, ResponseInputMessage, ResponseInputPart,
    ResponseInputRole, ResponseInputStatus, ResponseInputText,
};
pub use settings::{
    Reasoning, ResponsePrompt, ResponseServiceTier, ResponseTextConfig, ResponseToolChoice,
    ResponseToolChoiceMode, Truncation,
};

/// A request to the Responses API. Other members are kept.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{"model": "qwen-max", "input": "What is 6 times 7?"}"#)]
pub struct ResponseAPI {
    /// Whether the response is generated in the background and retrieved later.
    #[record(default = Some(false))]
    pub background: Option<bool>,
    /// Additional data to include in the response, such as `message.output_text.logprobs`.
    pub include: Option<Vec<String>>,
    /// The input to the model.
    #[record(required)]
    pub input: ResponseInput,
    /// The system message for this response. Instructions of the previous response are not carried over.
    pub instructions: Option<String>,
    /// The maximum number of tokens to generate, including reasoning.
    pub max_output_tokens: Option<i64>,
    /// The maximum number of calls of built-in tools.
    pub max_tool_calls: Option<i64>,
    /// Key-value metadata, kept with the response.
    pub metadata: Option<IndexMap<String, String>>,
    /// The model's name.
    pub model: Option<String>,
    /// Whether the model may call several tools in parallel.
    #[record(default = Some(true))]
    pub parallel_tool_calls: Option<bool>,
    /// The id of the response to continue from.
    pub previous_response_id: Option<String>,
    /// A stored prompt to use.
    pub prompt: Option<ResponsePrompt>,
    /// How the model reasons.
    pub reasoning: Option<Reasoning>,
    /// The service tier.
    #[record(default = ResponseServiceTier::Auto)]
    pub service_tier: ResponseServiceTier,
    /// Whether the vendor stores the response.
    #[record(default = Some(true))]
    pub store: Option<bool>,
    /// Whether the response is streamed as events.
    #[record(default = Some(false))]
    pub stream: Option<bool>,
    /// The sampling temperature, usually from 0 to 2. Lower values are more predictable.
    pub temperature: Option<f64>,
    /// The format of the text.
    pub text: Option<ResponseTextConfig>,
    /// Which tool the model must call.
    #[record(default)]
    pub tool_choice: ResponseToolChoice,
    /// How many of the most likely tokens to return at each position.
    #[record(default = Some(0))]
    pub top_logprobs: Option<i64>,
    /// Nucleus sampling: only the most likely tokens whose probabilities add up to this value are considered.
    pub top_p: Option<f64>,
    /// What happens if the conversation exceeds the model's context length.
    #[record(default = Some(Truncation::Disabled))]
    pub truncation: Option<Truncation>,
    /// Identifies the user to the vendor.
    pub user: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// Texts by name.
impl FromJson for IndexMap<String, String> {
    fn from_json(json: Json) -> Decoded<Self> {
        map(json)
    }
}
