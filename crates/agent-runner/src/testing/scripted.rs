//! An agent that does what a test says.

use agent_schemas::{Error, Json, JsonObject};
use async_trait::async_trait;

use crate::{Agent, AgentError, Recovery, RunHandle};

/// Writes what a test says, the same in each run: for tests of what surrounds an agent.
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
    /// An agent that writes nothing yet.
    pub fn new() -> Self {
        ScriptedAgent::default()
    }

    /// Then it writes a message, word by word, and gives way after each word.
    pub fn with_text(self, text: impl Into<String>) -> Self {
        self.then(Step::Text(text.into()))
    }

    /// Then it reasons, word by word, and gives way after each word.
    pub fn with_reasoning(self, text: impl Into<String>) -> Self {
        self.then(Step::Reasoning(text.into()))
    }

    /// Then it calls a tool of its own, which gives this output.
    pub fn with_tool_call(
        self,
        name: impl Into<String>,
        arguments: JsonObject,
        output: impl Into<Json>,
    ) -> Self {
        self.then(Step::ToolCall { name: name.into(), arguments, output: output.into() })
    }

    /// Then it calls a tool of the client.
    pub fn with_client_tool_call(self, name: impl Into<String>, arguments: JsonObject) -> Self {
        self.then(Step::ClientToolCall { name: name.into(), arguments })
    }

    /// Then it fails.
    pub fn with_error(self, error: Error) -> Self {
        self.then(Step::Fail(error))
    }

    /// Then it waits until its run is cancelled, and returns.
    pub fn with_wait_for_cancel(self) -> Self {
        self.then(Step::WaitForCancel)
    }

    /// Sets what can be done for its runs when their process dies; nothing by default.
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
