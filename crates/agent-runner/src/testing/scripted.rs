//! An agent that follows a script.

use agent_schemas::{Error, Json, JsonObject};
use async_trait::async_trait;

use crate::{Agent, AgentError, Recovery, RunHandle};

/// Writes a fixed output in each run, for tests of everything around an agent.
///
/// ```
/// use agent_runner::testing::{ScriptedAgent, collect};
/// use agent_schemas::{AgentRequest, object};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let agent = ScriptedAgent::new()
///     .with_reasoning("Better look it up.")
///     .with_tool_call("weather", object! { "city" => "Rome" }, "sunny")
///     .with_text("It is sunny.");
/// let run = collect(agent, AgentRequest::new(vec![])).await;
/// assert_eq!((run.text().as_str(), run.tool_calls().len()), ("It is sunny.", 1));
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ScriptedAgent {
    steps: Vec<Step>,
    recovery: Option<Recovery>,
}

#[derive(Clone, Debug)]
enum Step {
    Text(String),
    Reasoning(String),
    ToolCall { name: String, arguments: JsonObject, output: Json },
    ClientToolCall { name: String, arguments: JsonObject },
    Fail(Error),
    WaitForCancel,
}

impl ScriptedAgent {
    /// An agent that writes nothing.
    pub fn new() -> Self {
        ScriptedAgent::default()
    }

    /// Adds a message, written word by word; the agent yields after each word.
    pub fn with_text(self, text: impl Into<String>) -> Self {
        self.then(Step::Text(text.into()))
    }

    /// Adds reasoning, written word by word; the agent yields after each word.
    pub fn with_reasoning(self, text: impl Into<String>) -> Self {
        self.then(Step::Reasoning(text.into()))
    }

    /// Adds a call of one of the agent's own tools, with this output.
    pub fn with_tool_call(
        self,
        name: impl Into<String>,
        arguments: JsonObject,
        output: impl Into<Json>,
    ) -> Self {
        self.then(Step::ToolCall { name: name.into(), arguments, output: output.into() })
    }

    /// Adds a call of one of the client's tools.
    pub fn with_client_tool_call(self, name: impl Into<String>, arguments: JsonObject) -> Self {
        self.then(Step::ClientToolCall { name: name.into(), arguments })
    }

    /// Makes the agent fail then.
    pub fn with_error(self, error: Error) -> Self {
        self.then(Step::Fail(error))
    }

    /// Makes the agent wait until its run is cancelled, and return.
    pub fn with_wait_for_cancel(self) -> Self {
        self.then(Step::WaitForCancel)
    }

    /// Sets how its runs are recovered when their process dies; by default, they are not.
    pub fn with_recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = Some(recovery);
        self
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

#[async_trait]
impl Agent for ScriptedAgent {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        for step in &self.steps {
            match step {
                Step::Text(text) => write(run.message(), text).await,
                Step::Reasoning(text) => write(run.reasoning(), text).await,
                Step::ToolCall { name, arguments, output } => {
                    let id = run.new_call_id();
                    run.tool_call(&id, name).complete(Json::from(arguments.clone()).to_string());
                    run.tool_output(id, name, output.to_string());
                }
                Step::ClientToolCall { name, arguments } => {
                    let id = run.new_call_id();
                    run.client_tool_call(id, name).complete(Json::from(arguments.clone()).to_string());
                }
                Step::Fail(error) => return Err(error.clone().into()),
                Step::WaitForCancel => {
                    run.cancelled().await;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn recovery(&self) -> Recovery {
        self.recovery.unwrap_or(Recovery::GiveUp)
    }
}

async fn write(message: crate::MessageWriter, text: &str) {
    let mut content = message.text();
    for word in text.split_inclusive(' ') {
        content.delta(word);
        tokio::task::yield_now().await;
    }
    content.complete();
    message.complete();
}
