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
    /// A request to the Responses API. Members besides these are kept.
    #[example(r#"{"model": "qwen-max", "input": "What is 6 times 7?"}"#)]
    pub struct ResponseAPI {
        /// Whether the model works in the background and the answer is fetched later.
        background: Option<bool> => Some(false),
        /// What the answer is to hold besides, such as `message.output_text.logprobs`.
        include: Option<Vec<String>>,
        /// What is said to the model.
        input: ResponseInput = required,
        /// The system message of this answer; the one before does not go on to count.
        instructions: Option<String>,
        /// The most tokens to produce, reasoning included.
        max_output_tokens: Option<i64>,
        /// The most calls of built-in tools.
        max_tool_calls: Option<i64>,
        /// Texts that are kept with the answer.
        metadata: Option<IndexMap<String, String>>,
        /// The model's name.
        model: Option<String>,
        /// Whether the model may call several tools at once.
        parallel_tool_calls: Option<bool> => Some(true),
        /// The answer that the conversation goes on from.
        previous_response_id: Option<String>,
        /// A stored prompt to use.
        prompt: Option<ResponsePrompt>,
        /// How the model reasons.
        reasoning: Option<Reasoning>,
        /// How fast, and at which price, the answer is made.
        service_tier: ResponseServiceTier => ResponseServiceTier::Auto,
        /// Whether the vendor keeps the answer.
        store: Option<bool> => Some(true),
        /// Whether the answer comes as a stream of events.
        stream: Option<bool> => Some(false),
        /// How random the sampling is, usually from 0 to 2; less is more predictable.
        temperature: Option<f64>,
        /// The form of the answer's text.
        text: Option<ResponseTextConfig>,
        /// Which tool the model is to call.
        tool_choice: ResponseToolChoice => ResponseToolChoice::default(),
        /// How many of the likeliest tokens to tell at each position.
        top_logprobs: Option<i64> => Some(0),
        /// Nucleus sampling: only the likeliest tokens whose probabilities add up to this are considered.
        top_p: Option<f64>,
        /// What becomes of a conversation that is too long for the model.
        truncation: Option<Truncation> => Some(Truncation::Disabled),
        /// Names the user to the vendor.
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
