//! A request for a chat completion, as OpenAI's clients send it.

mod schema;

use indexmap::IndexMap;

use super::stream_options::StreamOptions;
use crate::coerce::{strict_flag, strict_integer, strict_number};
use crate::json::Json;
use crate::record::record;
use crate::request::Stop;
use crate::responses::check_metadata;
use crate::tool::RequestTool;

record! {
    @non_exhaustive
    /// A request for a chat completion.
    ///
    /// Other members are kept. Messages are read one at a time by [`crate::Message::from_openai_message`].
    #[example(r#"{"model": "demo", "messages": [{"role": "user", "content": "What is 6 times 7?"}]}"#)]
    #[describe(schema::with_members)]
    pub struct ChatCompletionRequest {
        /// The model, or the name of a served agent.
        model: Option<String>,
        /// The conversation so far. In a session, only the new messages.
        messages: Vec<Json> = required,
        /// Whether the response is streamed in chunks.
        #[check(strict_flag)]
        stream: Option<bool>,
        /// Options for a streamed response.
        stream_options: Option<StreamOptions>,
        /// The sampling temperature.
        #[range(0, 2)]
        #[check(strict_number)]
        temperature: Option<f64>,
        /// Nucleus sampling.
        #[range(0, 1)]
        #[check(strict_number)]
        top_p: Option<f64>,
        /// Penalizes tokens by how often they have appeared.
        #[range(-2, 2)]
        #[check(strict_number)]
        frequency_penalty: Option<f64>,
        /// Penalizes tokens that have appeared at all.
        #[range(-2, 2)]
        #[check(strict_number)]
        presence_penalty: Option<f64>,
        /// The maximum number of tokens to generate.
        #[range(1, i64::MAX)]
        #[check(strict_integer)]
        max_completion_tokens: Option<i64>,
        /// The older name of `max_completion_tokens`.
        #[range(1, i64::MAX)]
        #[check(strict_integer)]
        max_tokens: Option<i64>,
        /// Stop sequences.
        stop: Option<Stop>,
        /// How many choices to generate. Only 1 is supported.
        #[check(strict_integer)]
        n: Option<i64>,
        /// The sampling seed.
        #[check(strict_integer)]
        seed: Option<i64>,
        /// Functions that the model may call. The client runs them.
        tools: Option<Vec<RequestTool>>,
        /// Which tool the model must call: `none`, `auto`, `required`, or a specific function.
        tool_choice: Option<Json>,
        /// Whether the model may call several tools in parallel.
        #[check(strict_flag)]
        parallel_tool_calls: Option<bool>,
        /// The format of the answer: text, JSON, or JSON that matches a schema.
        response_format: Option<Json>,
        /// Whether to return log probabilities. Only `false` is supported.
        #[check(strict_flag)]
        logprobs: Option<bool>,
        /// The modalities of the answer. Only `text` is supported.
        modalities: Option<Vec<String>>,
        /// Metadata of the client. `session_id` in it selects a session.
        #[check(check_metadata)]
        metadata: Option<IndexMap<String, String>>,
        /// The user's id.
        user: Option<String>,
        /// The session id, if the server should keep the conversation. Not part of OpenAI's API.
        session_id: Option<String>,
        ..extra
    }
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
