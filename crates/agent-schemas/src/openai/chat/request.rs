//! A request for a chat completion, as OpenAI's clients send it.

mod schema;

use indexmap::IndexMap;

use super::stream_options::StreamOptions;
use crate::json::Json;
use crate::lax::{strict_flag, strict_integer, strict_number};
use crate::record::record;
use crate::request::Stop;
use crate::responses::check_metadata;
use crate::tool::RequestTool;

record! {
    @non_exhaustive
    /// A request for a chat completion.
    ///
    /// Whatever else OpenAI's clients send is kept. Messages are read one by one, by
    /// [`crate::Message::from_openai_message`].
    #[example(r#"{"model": "demo", "messages": [{"role": "user", "content": "What is 6 times 7?"}]}"#)]
    #[describe(schema::with_members)]
    pub struct ChatCompletionRequest {
        /// The model, or the name of a served agent.
        model: Option<String>,
        /// The conversation so far; in a session, what is new in it.
        messages: Vec<Json> = required,
        /// Whether the answer comes in chunks.
        #[check(strict_flag)]
        stream: Option<bool>,
        /// What the chunks of a streamed answer tell besides.
        stream_options: Option<StreamOptions>,
        /// Sampling temperature.
        #[range(0, 2)]
        #[check(strict_number)]
        temperature: Option<f64>,
        /// Nucleus sampling.
        #[range(0, 1)]
        #[check(strict_number)]
        top_p: Option<f64>,
        /// Penalty on tokens by how often they came.
        #[range(-2, 2)]
        #[check(strict_number)]
        frequency_penalty: Option<f64>,
        /// Penalty on tokens that came at all.
        #[range(-2, 2)]
        #[check(strict_number)]
        presence_penalty: Option<f64>,
        /// The most tokens to produce.
        #[range(1, i64::MAX)]
        #[check(strict_integer)]
        max_completion_tokens: Option<i64>,
        /// The same by its older name.
        #[range(1, i64::MAX)]
        #[check(strict_integer)]
        max_tokens: Option<i64>,
        /// Where to stop.
        stop: Option<Stop>,
        /// How many answers to produce: one.
        #[check(strict_integer)]
        n: Option<i64>,
        /// The seed for sampling.
        #[check(strict_integer)]
        seed: Option<i64>,
        /// Functions that the model may call; the client runs them.
        tools: Option<Vec<RequestTool>>,
        /// Which tool the model is to call: `none`, `auto`, `required`, or one function.
        tool_choice: Option<Json>,
        /// Whether the model may call several tools at once.
        #[check(strict_flag)]
        parallel_tool_calls: Option<bool>,
        /// The form of the answer: text, JSON, or JSON of a schema.
        response_format: Option<Json>,
        /// Whether to tell how likely the tokens were: false.
        #[check(strict_flag)]
        logprobs: Option<bool>,
        /// The forms of the answer: text.
        modalities: Option<Vec<String>>,
        /// What the client wants to keep with the request; `session_id` in it names a session.
        #[check(check_metadata)]
        metadata: Option<IndexMap<String, String>>,
        /// The user's id.
        user: Option<String>,
        /// The conversation's id, if the server is to keep it. No member of OpenAI's.
        session_id: Option<String>,
        ..extra
    }
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
