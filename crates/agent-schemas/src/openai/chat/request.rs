//! A request for a chat completion, as OpenAI's clients send it.

mod schema;

use super::parameters::StreamOptions;
use crate::json::{Json, JsonObject};
use crate::record::record;
use crate::request::Stop;
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
        stream: Option<bool>,
        /// What the chunks of a streamed answer tell besides.
        stream_options: Option<StreamOptions>,
        /// Sampling temperature.
        temperature: Option<f64>,
        /// Nucleus sampling.
        top_p: Option<f64>,
        /// Penalty on tokens by how often they came.
        frequency_penalty: Option<f64>,
        /// Penalty on tokens that came at all.
        presence_penalty: Option<f64>,
        /// The most tokens to produce.
        max_completion_tokens: Option<i64>,
        /// The same by its older name.
        max_tokens: Option<i64>,
        /// Where to stop.
        stop: Option<Stop>,
        /// How many answers to produce: one.
        n: Option<i64>,
        /// The seed for sampling.
        seed: Option<i64>,
        /// Functions that the model may call; the client runs them.
        tools: Option<Vec<RequestTool>>,
        /// Which tool the model is to call: `none`, `auto`, `required`, or one function.
        tool_choice: Option<Json>,
        /// Whether the model may call several tools at once.
        parallel_tool_calls: Option<bool>,
        /// The form of the answer: text, JSON, or JSON of a schema.
        response_format: Option<Json>,
        /// Whether to tell how likely the tokens were: false.
        logprobs: Option<bool>,
        /// The forms of the answer: text.
        modalities: Option<Vec<String>>,
        /// What the client wants to keep with the request; `session_id` in it names a session.
        metadata: Option<JsonObject>,
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
