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

/// A request to the Responses API. Members besides these are kept.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{"model": "qwen-max", "input": "What is 6 times 7?"}"#)]
pub struct ResponseAPI {
    /// Whether the model works in the background and the answer is fetched later.
    #[record(default = Some(false))]
    pub background: Option<bool>,
    /// What the answer is to hold besides, such as `message.output_text.logprobs`.
    pub include: Option<Vec<String>>,
    /// What is said to the model.
    #[record(required)]
    pub input: ResponseInput,
    /// The system message of this answer; the one before does not go on to count.
    pub instructions: Option<String>,
    /// The most tokens to produce, reasoning included.
    pub max_output_tokens: Option<i64>,
    /// The most calls of built-in tools.
    pub max_tool_calls: Option<i64>,
    /// Texts that are kept with the answer.
    pub metadata: Option<IndexMap<String, String>>,
    /// The model's name.
    pub model: Option<String>,
    /// Whether the model may call several tools at once.
    #[record(default = Some(true))]
    pub parallel_tool_calls: Option<bool>,
    /// The answer that the conversation goes on from.
    pub previous_response_id: Option<String>,
    /// A stored prompt to use.
    pub prompt: Option<ResponsePrompt>,
    /// How the model reasons.
    pub reasoning: Option<Reasoning>,
    /// How fast, and at which price, the answer is made.
    #[record(default = ResponseServiceTier::Auto)]
    pub service_tier: ResponseServiceTier,
    /// Whether the vendor keeps the answer.
    #[record(default = Some(true))]
    pub store: Option<bool>,
    /// Whether the answer comes as a stream of events.
    #[record(default = Some(false))]
    pub stream: Option<bool>,
    /// How random the sampling is, usually from 0 to 2; less is more predictable.
    pub temperature: Option<f64>,
    /// The form of the answer's text.
    pub text: Option<ResponseTextConfig>,
    /// Which tool the model is to call.
    #[record(default)]
    pub tool_choice: ResponseToolChoice,
    /// How many of the likeliest tokens to tell at each position.
    #[record(default = Some(0))]
    pub top_logprobs: Option<i64>,
    /// Nucleus sampling: only the likeliest tokens whose probabilities add up to this are considered.
    pub top_p: Option<f64>,
    /// What becomes of a conversation that is too long for the model.
    #[record(default = Some(Truncation::Disabled))]
    pub truncation: Option<Truncation>,
    /// Names the user to the vendor.
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
