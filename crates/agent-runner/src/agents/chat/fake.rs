//! A model for tests of chat agents, with prepared replies.

use std::collections::VecDeque;
use std::sync::Arc;

use agent_schemas::{Error, Json, JsonObject, json, object};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;

use super::body::Item;
use super::failure::{Failure, Retry};
use super::hint::Hint;
use super::model::{Chunks, Model};
use super::wire::Chunk;
use super::{Chat, ChatConfig, ChatError};
use crate::Services;
use crate::tools::Tool;

/// A model without a network: it returns one reply per model call, in order, and records the requests.
///
/// ```
/// use agent_runner::testing::{FakeModel, FakeReply, collect};
/// use agent_runner::tools::built_in;
/// use agent_runner::{Services, agents::ChatConfig};
/// use agent_schemas::{AgentRequest, Message, object};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = FakeModel::new([
///     FakeReply::tool_call("calculator", object! { "expression" => "6 * 7" }),
///     FakeReply::text("It is 42."),
/// ]);
/// let agent = model.chat(ChatConfig::new("fake"), built_in(&Services::in_memory()))?;
/// let run = collect(agent, AgentRequest::new(vec![Message::user("What is 6 times 7?")])).await;
/// assert_eq!(run.text(), "It is 42.");
/// assert_eq!(run.tool_calls()[0].name.as_deref(), Some("calculator"));
/// // The request for the second reply ends with the tool's output.
/// assert_eq!(model.requests()[1].last_text(), "42");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct FakeModel(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
struct Script {
    replies: VecDeque<FakeReply>,
    requests: Vec<FakeRequest>,
}

/// The reply of a [`FakeModel`] to one model call.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct FakeReply {
    deltas: Vec<JsonObject>,
    calls: i64,
    usage: Option<JsonObject>,
    error: Option<Error>,
}

/// A request that a [`FakeModel`] received.
#[derive(Clone, Debug, PartialEq)]
pub struct FakeRequest {
    /// The whole request, in the form of OpenAI's chat completions.
    pub body: Json,
}

impl FakeModel {
    /// A model with these replies. A call without a remaining reply fails.
    pub fn new(replies: impl IntoIterator<Item = FakeReply>) -> Self {
        let replies = replies.into_iter().collect();
        FakeModel(Arc::new(Mutex::new(Script { replies, requests: Vec::new() })))
    }

    /// A chat agent that calls this model. Settings of the endpoint have no effect.
    ///
    /// # Errors
    /// The errors of [`Chat::new`].
    pub fn chat(&self, config: ChatConfig, tools: Vec<Arc<dyn Tool>>) -> Result<Chat, ChatError> {
        config.times()?;
        Chat::with_model(config, Arc::new(self.clone()), tools)
    }

    /// The requests so far, one per model call.
    pub fn requests(&self) -> Vec<FakeRequest> {
        self.0.lock().requests.clone()
    }

    /// The number of remaining replies.
    pub fn replies_left(&self) -> usize {
        self.0.lock().replies.len()
    }
}

impl FakeReply {
    /// A text, streamed word by word.
    pub fn text(text: &str) -> Self {
        FakeReply::default().with_text(text)
    }

    /// A call of a tool.
    pub fn tool_call(name: &str, arguments: JsonObject) -> Self {
        FakeReply::default().with_tool_call(name, arguments)
    }

    /// A model call that fails; the agent does not retry it.
    pub fn error(error: Error) -> Self {
        FakeReply::default().with_error(error)
    }

    /// Adds a text, streamed word by word.
    pub fn with_text(mut self, text: &str) -> Self {
        self.deltas.extend(text.split_inclusive(' ').map(|word| object! { "content" => word }));
        self
    }

    /// Adds reasoning, streamed word by word.
    pub fn with_reasoning(mut self, text: &str) -> Self {
        self.deltas.extend(text.split_inclusive(' ').map(|word| object! { "reasoning_content" => word }));
        self
    }

    /// Adds a tool call; the calls of one reply are parallel.
    pub fn with_tool_call(mut self, name: &str, arguments: JsonObject) -> Self {
        let function = object! { "name" => name, "arguments" => Json::from(arguments).to_string() };
        let call = object! { "index" => self.calls, "function" => function };
        self.deltas.push(object! { "tool_calls" => vec![Json::from(call)] });
        self.calls += 1;
        self
    }

    /// Adds members to the last tool call, such as an `id`, as some model servers send them.
    pub fn with_call_members(mut self, members: JsonObject) -> Self {
        let calls = self.deltas.last_mut().and_then(|delta| delta.get_mut("tool_calls"));
        if let Some(Json::Array(calls)) = calls
            && let Some(Json::Object(call)) = calls.first_mut()
        {
            call.extend(members);
        }
        self
    }

    /// Sets the token usage of the model call.
    pub fn with_usage(mut self, input_tokens: i64, output_tokens: i64) -> Self {
        self.usage = Some(object! {
            "prompt_tokens" => input_tokens,
            "completion_tokens" => output_tokens,
            "total_tokens" => input_tokens + output_tokens
        });
        self
    }

    /// Makes the model call fail after the parts added so far.
    pub fn with_error(mut self, error: Error) -> Self {
        self.error = Some(error);
        self
    }

    fn items(self) -> Vec<Result<Item, Failure>> {
        let reason = if self.calls > 0 { "tool_calls" } else { "stop" };
        let chunk = |choice: JsonObject| object! { "choices" => vec![Json::from(choice)] };
        let mut chunks: Vec<JsonObject> =
            self.deltas.into_iter().map(|delta| chunk(object! { "delta" => delta })).collect();
        if self.error.is_none() {
            chunks.push(chunk(object! { "finish_reason" => reason }));
            chunks.extend(self.usage.map(|usage| object! { "usage" => usage }));
        }
        let chunks = chunks.into_iter().filter_map(|chunk| Chunk::parse(&Json::from(chunk).to_string()));
        let end = match self.error {
            Some(error) => Err(failure(error)),
            None => Ok(Item::Done),
        };
        chunks.map(|chunk| Ok(Item::Chunk(Box::new(chunk)))).chain([end]).collect()
    }
}

impl FakeRequest {
    /// The messages in the request, in order.
    pub fn messages(&self) -> &[Json] {
        self.body.get("messages").and_then(Json::as_array).unwrap_or_default()
    }

    /// The text of the last message; empty if it has none.
    pub fn last_text(&self) -> &str {
        let content = self.messages().last().and_then(|message| message.get("content"));
        content.and_then(Json::as_str).unwrap_or_default()
    }

    /// The names of the tools in the request.
    pub fn tool_names(&self) -> Vec<&str> {
        let tools = self.body.get("tools").and_then(Json::as_array).unwrap_or_default();
        tools.iter().filter_map(|tool| tool.get("function")?.get("name")?.as_str()).collect()
    }
}

#[async_trait]
impl Model for FakeModel {
    fn is_openai(&self) -> bool {
        false
    }

    async fn open(&self, body: Bytes, model: &str, _: &Services) -> Result<Chunks, Failure> {
        let text = String::from_utf8_lossy(&body);
        let reply = {
            let mut script = self.0.lock();
            script.requests.push(FakeRequest { body: json::parse(&text).unwrap_or_default() });
            script.replies.pop_front()
        };
        let Some(reply) = reply else {
            let model_name = format!("{model}: the fake model has no reply left");
            return Err(failure(Error::ModelExecution { model_name }));
        };
        let paced = stream::iter(reply.items()).then(async |item| {
            tokio::task::yield_now().await;
            item
        });
        Ok(paced.boxed())
    }

    fn explain(&self, _: &str, failure: &Failure) -> String {
        failure.what.clone()
    }
}

fn failure(error: Error) -> Failure {
    let what = error.to_string();
    Failure { error, what, hint: Hint::None, retry: Retry::Never }
}
