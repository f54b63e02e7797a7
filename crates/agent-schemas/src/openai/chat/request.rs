//! A request for a chat completion, as OpenAI's clients send it.

mod schema;

use agent_schemas_derive::Record;
use indexmap::IndexMap;

use super::stream_options::StreamOptions;
use crate::coerce::{strict_flag, strict_integer, strict_number};
use crate::json::{Json, JsonObject};
use crate::request::Stop;
use crate::responses::check_metadata;
use crate::tool::RequestTool;

/// A request for a chat completion.
///
/// Other members are kept. Messages are read one at a time by [`crate::Message::from_openai_message`].
#[derive(Clone, Debug, PartialEq, Record)]
#[record(describe = schema::with_members)]
#[record(example = r#"{"model": "demo", "messages": [{"role": "user", "content": "What is 6 times 7?"}]}"#)]
#[non_exhaustive]
pub struct ChatCompletionRequest {
    /// The model, or the name of a served agent.
    pub model: Option<String>,
    /// The conversation so far. In a session, only the new messages.
    #[record(required)]
    pub messages: Vec<Json>,
    /// Whether the response is streamed in chunks.
    #[record(check = strict_flag)]
    pub stream: Option<bool>,
    /// Options for a streamed response.
    pub stream_options: Option<StreamOptions>,
    /// The sampling temperature.
    #[record(range(0, 2), check = strict_number)]
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    #[record(range(0, 1), check = strict_number)]
    pub top_p: Option<f64>,
    /// Penalizes tokens by how often they have appeared.
    #[record(range(-2, 2), check = strict_number)]
    pub frequency_penalty: Option<f64>,
    /// Penalizes tokens that have appeared at all.
    #[record(range(-2, 2), check = strict_number)]
    pub presence_penalty: Option<f64>,
    /// The maximum number of tokens to generate.
    #[record(range(1, i64::MAX), check = strict_integer)]
    pub max_completion_tokens: Option<i64>,
    /// The older name of `max_completion_tokens`.
    #[record(range(1, i64::MAX), check = strict_integer)]
    pub max_tokens: Option<i64>,
    /// Stop sequences.
    pub stop: Option<Stop>,
    /// How many choices to generate. Only 1 is supported.
    #[record(check = strict_integer)]
    pub n: Option<i64>,
    /// The sampling seed.
    #[record(check = strict_integer)]
    pub seed: Option<i64>,
    /// Functions that the model may call. The client runs them.
    pub tools: Option<Vec<RequestTool>>,
    /// Which tool the model must call: `none`, `auto`, `required`, or a specific function.
    pub tool_choice: Option<Json>,
    /// Whether the model may call several tools in parallel.
    #[record(check = strict_flag)]
    pub parallel_tool_calls: Option<bool>,
    /// The format of the answer: text, JSON, or JSON that matches a schema.
    pub response_format: Option<Json>,
    /// Whether to return log probabilities. Only `false` is supported.
    #[record(check = strict_flag)]
    pub logprobs: Option<bool>,
    /// The modalities of the answer. Only `text` is supported.
    pub modalities: Option<Vec<String>>,
    /// Metadata of the client. `session_id` in it selects a session.
    #[record(check = check_metadata)]
    pub metadata: Option<IndexMap<String, String>>,
    /// The user's id.
    pub user: Option<String>,
    /// The session id, if the server should keep the conversation. Not part of OpenAI's API.
    pub session_id: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

impl ChatCompletionRequest {
    /// Reads and checks a request. Its messages are not read yet.
    ///
    /// # Errors
    /// The first error, with its location.
    pub fn from_json(json: Json) -> Result<Self, crate::ValidationError> {
        <Self as crate::decode::FromJson>::from_json(json)
    }
}
