//! An agent that calls a model through OpenAI's Chat Completions API.
//!
//! A turn is a loop with the steps in [`turn`]. The agent sends the conversation ([`context`], [`request`]), receives
//! the answer as a stream ([`endpoint`], [`stream`], [`body`], [`wire`]) and writes it to the run ([`answer`]). It runs
//! the tools that the model calls ([`toolbox`]) and sends their outputs with the next round, until the model calls no
//! more tools. The client runs the tools that its request declares ([`declared`], [`client_call`]).

mod answer;
mod approval;
mod body;
mod calls;
mod client_call;
mod config;
mod config_builder;
mod context;
mod declared;
mod endpoint;
mod error;
mod extra;
mod failure;
#[cfg(feature = "testing")]
mod fake;
mod finish;
mod hint;
mod input_text;
mod lenient;
mod listing;
mod members;
mod model;
mod place;
mod request;
mod stream;
mod toolbox;
mod turn;
mod usage;
mod wire;

use std::sync::Arc;

use agent_schemas::Error;
use async_trait::async_trait;
use futures_util::StreamExt;

use crate::tools::{OfferedTool, Tool, ToolSource};
use crate::{Agent, AgentError, Recovery, RunHandle, SecretString};

use answer::{Answer, Round};
use body::Item;
pub use config::{ChatConfig, SystemRole};
use endpoint::Endpoint;
pub use error::ChatError;
use failure::Failure;
#[cfg(feature = "testing")]
pub use fake::{FakeModel, FakeReply, FakeRequest};
use model::Model;
use request::Conversation;
pub use turn::{ChatAnswer, ChatTurn};
use wire::Chunk;

/// The status of a request that cannot succeed as it is.
const BAD_REQUEST: u16 = 400;

/// An agent that calls a model.
///
/// The answer's reasoning, text, refusals and tool calls are streamed; the usage of each model call is in the last
/// message that it wrote. A call of one of the server's tools is a `plugin_call` followed by a
/// `plugin_call_output`, and the model is called again. A call of a tool that only the request declares is a
/// `function_call` and ends the turn, after the server's tools in the same answer have run.
///
/// Of a request's other members, it adds `instructions` to the system prompt and passes on `tool_choice`,
/// `parallel_tool_calls` and those in [`ChatConfig::passed_on`]. All instructions, including system messages of the
/// conversation, are in one message at the beginning, because some servers reject system messages elsewhere.
///
/// Model servers know only functions. A tool of a request that takes plain text (`custom`) becomes a function with one
/// text parameter, and a `namespace` becomes the functions in it. Tools of other kinds are left out, and the log says
/// so.
///
/// What a server attaches to a message or a call (reasoning, signatures of thoughts) goes back to it with the
/// conversation.
///
/// A failed model call is retried if none of its answer has been shown yet; see [`ChatConfig`].
///
/// An agent with a loop of its own takes the same steps one by one: see [`ChatTurn`]. [`Chat::complete`] asks the model
/// a separate question.
#[derive(Debug)]
pub struct Chat {
    config: ChatConfig,
    model: Arc<dyn Model>,
    tools: Vec<Arc<dyn Tool>>,
    sources: Vec<Arc<dyn ToolSource>>,
}

impl Chat {
    /// An agent with these settings; `tools` are all tools of the server, from which the settings choose.
    ///
    /// Sends nothing yet. Does not read the key from the environment: the caller looks up
    /// [`ChatConfig::api_key_env`] and [`ChatConfig::extra_headers_env`].
    ///
    /// # Errors
    /// [`ChatError`] if a setting is invalid.
    pub fn new(
        config: ChatConfig,
        api_key: Option<SecretString>,
        tools: Vec<Arc<dyn Tool>>,
    ) -> Result<Self, ChatError> {
        let endpoint = Endpoint::new(api_key, &config, config.times()?)?;
        Chat::with_model(config, Arc::new(endpoint), tools)
    }

    /// The same with another model instead of the endpoint's.
    fn with_model(
        config: ChatConfig,
        model: Arc<dyn Model>,
        tools: Vec<Arc<dyn Tool>>,
    ) -> Result<Self, ChatError> {
        let tools = choose_tools(&config, tools)?;
        Ok(Chat { config, model, tools, sources: Vec::new() })
    }

    /// The same agent with the tools of a source, which may change from turn to turn. Where two tools have one name, the
    /// earlier one counts.
    #[must_use]
    pub fn with_tools_of(mut self, source: Arc<dyn ToolSource>) -> Self {
        self.sources.push(source);
        self
    }

    /// The tools that the model may call in a turn that begins now.
    fn offered(&self) -> Vec<OfferedTool> {
        let mut offered: Vec<OfferedTool> = self.tools.iter().cloned().map(OfferedTool::from).collect();
        for source in &self.sources {
            for tool in source.tools().iter() {
                if offered.iter().all(|known| known.name() != tool.name()) {
                    offered.push(tool.clone());
                }
            }
        }
        offered
    }

    /// Handles a request until the model calls no more of the server's tools.
    async fn turn(&self, run: &RunHandle) -> Result<(), AgentError> {
        let mut turn = self.begin(run).await?;
        for _ in 0..self.config.max_rounds {
            let answer = turn.call_model().await?;
            if !turn.run_tools(answer).await? {
                return Ok(());
            }
        }
        let message = format!("The model still called tools after {} rounds", self.config.max_rounds);
        Err(Error::Agent { message }.into())
    }

    /// Logs why a model call failed and what to do. Clients receive the error's code and a short text, without addresses.
    fn log(&self, run: &RunHandle, model: &str, failure: &Failure) {
        let (code, explained) = (failure.error.code(), self.model.explain(model, failure));
        if failure.error.http_status() == BAD_REQUEST {
            // The client has to change its request.
            tracing::warn!(run.id = %run.id(), model.name = model, error.code = code, "a model call failed: {explained}");
        } else {
            tracing::error!(run.id = %run.id(), model.name = model, error.code = code, "a model call failed: {explained}");
        }
    }

    /// One model call, written to the run while it is answered.
    async fn ask(
        &self,
        run: &RunHandle,
        conversation: &Conversation,
        model: &str,
        mut answer: Answer<'_>,
    ) -> Result<Round, Failure> {
        let take = |chunk| {
            answer.take(chunk)?;
            Ok(answer.is_finished())
        };
        self.read_answer(run, conversation, model, take).await?;
        Ok(answer.finish())
    }

    /// One model call; `take` receives the chunks of the answer and returns whether the model has said that it is done.
    async fn read_answer(
        &self,
        run: &RunHandle,
        conversation: &Conversation,
        model: &str,
        mut take: impl FnMut(Chunk) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let mut items = self.model.open(conversation.body(), model, run.services()).await?;
        let mut is_finished = false;
        while let Some(item) = items.next().await {
            match item {
                Ok(Item::Chunk(chunk)) => is_finished = take(*chunk)?,
                Ok(Item::Done) => return Ok(()),
                // After the model's own end only the usage can follow, so a failure there does not matter.
                Err(_) if is_finished => break,
                Err(failure) => return Err(failure),
            }
        }
        if is_finished { Ok(()) } else { Err(Failure::cut(model)) }
    }
}

#[async_trait]
impl Agent for Chat {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        tokio::select! {
            biased;
            // Dropping the turn closes its connection, so the model stops as well.
            () = run.cancelled() => Ok(()),
            result = self.turn(&run) => result,
        }
    }

    fn recovery(&self) -> Recovery {
        Recovery::Continue
    }

    fn summarizes(&self) -> bool {
        true
    }
}

fn choose_tools(config: &ChatConfig, tools: Vec<Arc<dyn Tool>>) -> Result<Vec<Arc<dyn Tool>>, ChatError> {
    for (position, tool) in tools.iter().enumerate() {
        if tools[..position].iter().any(|earlier| earlier.name() == tool.name()) {
            return Err(ChatError::DuplicateTool(tool.name().to_owned()));
        }
    }
    let Some(wanted) = &config.tools else { return Ok(tools) };
    if let Some(name) = wanted.iter().find(|name| tools.iter().all(|tool| tool.name() != name.as_str())) {
        let known: Vec<_> = tools.iter().map(|tool| tool.name()).collect();
        return Err(ChatError::UnknownTool { name: name.clone(), known: known.join(", ") });
    }
    Ok(tools.into_iter().filter(|tool| wanted.iter().any(|name| name == tool.name())).collect())
}
