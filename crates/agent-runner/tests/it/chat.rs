//! The chat agent, over real HTTP against a scripted model server.

mod attached;
mod errors;
mod history;
mod log;
mod requests;
mod steps;
mod streaming;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use agent_runner::agents::{Chat, ChatConfig};
use agent_runner::tools::{Tool, built_in};
use agent_runner::{RunOptions, Runner, SecretString, Services};
use agent_schemas::{AgentRequest, AgentResponse, Event, Message};

use crate::model_server::{ModelServer, Received, Reply};
use crate::support::collect;

const KEY: &str = "sk-very-secret";

/// Everything that a test may want to look at afterwards.
pub(crate) struct Outcome {
    pub(crate) events: Vec<Event>,
    pub(crate) received: Vec<Received>,
}

impl Outcome {
    pub(crate) fn response(&self) -> &AgentResponse {
        match self.events.last() {
            Some(Event::Response(response)) => response,
            other => panic!("the log ends with {other:?}"),
        }
    }

    /// The error's code and message.
    pub(crate) fn error(&self) -> (&str, &str) {
        let error = self.response().error.as_ref().expect("the run fails");
        (&error.code, &error.message)
    }
}

/// Settings for tests: a model named `m`, short waits.
pub(crate) fn config(server: &ModelServer) -> ChatConfig {
    let mut config = ChatConfig::new("m");
    config.base_url = server.base_url();
    config.retry_delay = Duration::from_millis(1);
    config
}

pub(crate) fn request(text: &str) -> AgentRequest {
    AgentRequest::new(vec![Message::user(text)])
}

pub(crate) fn chat(config: ChatConfig, tools: Vec<Arc<dyn Tool>>) -> Runner {
    let chat = Chat::new(config, Some(SecretString::from(KEY)), tools).expect("good settings");
    Runner::builder().agent("chat", chat).build().expect("built")
}

/// Runs a request against a server with these replies; settings and request may be changed before.
pub(crate) async fn ask_with(
    replies: &[Reply],
    tools: Vec<Arc<dyn Tool>>,
    change: impl FnOnce(&mut ChatConfig, &mut AgentRequest),
) -> Outcome {
    let server = ModelServer::start(replies.iter().cloned()).await;
    let (mut config, mut request) = (config(&server), request("hi"));
    change(&mut config, &mut request);
    let runner = chat(config, tools);
    let run = runner.start(request, RunOptions::default()).await.expect("started");
    Outcome { events: collect(run.cursor(0)).await, received: server.received() }
}

/// Runs a plain request with the built-in tools.
pub(crate) async fn ask(replies: &[Reply]) -> Outcome {
    ask_with(replies, built_in(&Services::in_memory()), |_, _| {}).await
}
