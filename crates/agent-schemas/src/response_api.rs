//! Requests to OpenAI's Responses API.

mod input;
mod settings;

use indexmap::IndexMap;

use crate::decode::{Decoded, FromJson, map};
use crate::json::Json;
use crate::record::record;

pub use input::{
    ResponseInput, ResponseInputFile, ResponseInputImage, ResponseInputMessage, ResponseInputPart,
    ResponseInputRole, ResponseInputStatus, ResponseInputText,
};
pub use settings::{
    Reasoning, ResponsePrompt, ResponseServiceTier, ResponseTextConfig, ResponseToolChoice,
    ResponseToolChoiceMode, Truncation,
};

record! {
    /// A request to the Responses API. Other members are kept.
    #[example(r#"{"model": "qwen-max", "input": "What is 6 times 7?"}"#)]
    pub struct ResponseAPI {
        /// Whether the response is generated in the background and retrieved later.
        background: Option<bool> => Some(false),
        /// Additional data to include in the response, such as `message.output_text.logprobs`.
        include: Option<Vec<String>>,
        /// The input to the model.
        input: ResponseInput = required,
        /// The system message for this response. Instructions of the previous response are not carried over.
        instructions: Option<String>,
        /// The maximum number of tokens to generate, including reasoning.
        max_output_tokens: Option<i64>,
        /// The maximum number of calls of built-in tools.
        max_tool_calls: Option<i64>,
        /// Key-value metadata, kept with the response.
        metadata: Option<IndexMap<String, String>>,
        /// The model's name.
        model: Option<String>,
        /// Whether the model may call several tools in parallel.
        parallel_tool_calls: Option<bool> => Some(true),
        /// The id of the response to continue from.
        previous_response_id: Option<String>,
        /// A stored prompt to use.
        prompt: Option<ResponsePrompt>,
        /// How the model reasons.
        reasoning: Option<Reasoning>,
        /// The service tier.
        service_tier: ResponseServiceTier => ResponseServiceTier::Auto,
        /// Whether the vendor stores the response.
        store: Option<bool> => Some(true),
        /// Whether the response is streamed as events.
        stream: Option<bool> => Some(false),
        /// The sampling temperature, usually from 0 to 2. Lower values are more predictable.
        temperature: Option<f64>,
        /// The format of the text.
        text: Option<ResponseTextConfig>,
        /// Which tool the model must call.
        tool_choice: ResponseToolChoice => ResponseToolChoice::default(),
        /// How many of the most likely tokens to return at each position.
        top_logprobs: Option<i64> => Some(0),
        /// Nucleus sampling: only the most likely tokens whose probabilities add up to this value are considered.
        top_p: Option<f64>,
        /// What happens if the conversation exceeds the model's context length.
        truncation: Option<Truncation> => Some(Truncation::Disabled),
        /// Identifies the user to the vendor.
        user: Option<String>,
        ..extra
    }
}

/// Texts by name.
impl FromJson for IndexMap<String, String> {
    fn from_json(json: Json) -> Decoded<Self> {
        map(json)
    }
}
