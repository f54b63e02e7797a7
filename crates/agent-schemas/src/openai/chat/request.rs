//! A request for a chat completion, as OpenAI's clients send it.

mod schema;

use agent_schemas_derive::Record;
use indexmap::IndexMap;

use super::stream_options::StreamOptions;
use crate::json::{Json, JsonObject};
use crate::lax::{strict_flag, strict_integer, strict_number};
use crate::request::Stop;
use crate::responses::check_metadata;
use crate::tool::RequestTool;

/// A request for a chat completion.
///
/// Whatever else OpenAI's clients send is kept. Messages are read one by one, by
/// [`crate::Message::from_openai_message`].
#[derive(Clone, Debug, PartialEq, Record)]
#[record(describe = schema::with_members)]
#[record(example = r#"{"model": "demo", "messages": [{"role": "user", "content": "What is 6 times 7?"}]}"#)]
#[non_exhaustive]
pub struct ChatCompletionRequest {
    /// The model, or the name of a served agent.
    pub model: Option<String>,
    /// The conversation so far; in a session, what is new in it.
    #[record(required)]
    pub messages: Vec<Json>,
    /// Whether the answer comes in chunks.
    #[record(check = strict_flag)]
    pub stream: Option<bool>,
    /// What the chunks of a streamed answer tell besides.
    pub stream_options: Option<StreamOptions>,
    /// Sampling temperature.
    #[record(range(0, 2), check = strict_number)]
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    #[record(range(0, 1), check = strict_number)]
    pub top_p: Option<f64>,
    /// Penalty on tokens by how often they came.
    #[record(range(-2, 2), check = strict_number)]
    pub frequency_penalty: Option<f64>,
    /// Penalty on tokens that came at all.
    #[record(range(-2, 2), check = strict_number)]
    pub presence_penalty: Option<f64>,
    /// The most tokens to produce.
    #[record(range(1, i64::MAX), check = strict_integer)]
    pub max_completion_tokens: Option<i64>,
    /// The same by its older name.
    #[record(range(1, i64::MAX), check = strict_integer)]
    pub max_tokens: Option<i64>,
    /// Where to stop.
    pub stop: Option<Stop>,
    /// How many answers to produce: one.
    #[record(check = strict_integer)]
    pub n: Option<i64>,
    /// The seed for sampling.
    #[record(check = strict_integer)]
    pub seed: Option<i64>,
    /// Functions that the model may call; the client runs them.
    pub tools: Option<Vec<RequestTool>>,
    /// Which tool the model is to call: `none`, `auto`, `required`, or one function.
    pub tool_choice: Option<Json>,
    /// Whether the model may call several tools at once.
    #[record(check = strict_flag)]
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer: text, JSON, or JSON of a schema.
    pub response_format: Option<Json>,
    /// Whether to tell how likely the tokens were: false.
    #[record(check = strict_flag)]
    pub logprobs: Option<bool>,
    /// The forms of the answer: text.
    pub modalities: Option<Vec<String>>,
    /// What the client wants to keep with the request; `session_id` in it names a session.
    #[record(check = check_metadata)]
    pub metadata: Option<IndexMap<String, String>>,
    /// The user's id.
    pub user: Option<String>,
    /// The conversation's id, if the server is to keep it. No member of OpenAI's.
    pub session_id: Option<String>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

impl ChatCompletionRequest {
    /// Reads and checks a request; its messages are not read yet.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn from_json(json: Json) -> Result<Self, crate::ValidationError> {
        <Self as crate::decode::FromJson>::from_json(json)
    }
}
