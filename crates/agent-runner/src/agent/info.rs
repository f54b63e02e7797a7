//! What an agent tells its callers about itself.

use std::fmt;

use agent_schemas::JsonObject;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Agent, AgentError, Recovery};
use crate::{RunHandle, open_json};

/// What an agent tells its callers about itself, where a protocol has room for it: MCP, for example, shows each agent as
/// a tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AgentInfo {
    /// The name that people see.
    pub title: Option<String>,
    /// What the agent does, for people and models that choose one.
    pub description: Option<String>,
    /// The JSON Schema (2020-12) of the object that the agent takes, if it takes one instead of a text. The agent finds
    /// it as the last data content of its input.
    #[serde(with = "open_json::optional", skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<JsonObject>,
    /// The JSON Schema of the object that the agent answers with: the last data content of its output.
    #[serde(with = "open_json::optional", skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<JsonObject>,
}

impl AgentInfo {
    /// An agent that does this.
    pub fn new(description: impl Into<String>) -> Self {
        AgentInfo { description: Some(description.into()), ..AgentInfo::default() }
    }

    /// Sets the name that people see.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the JSON Schema of the object that the agent takes.
    #[must_use]
    pub fn with_input_schema(mut self, schema: JsonObject) -> Self {
        self.input_schema = Some(schema);
        self
    }

    /// Sets the JSON Schema of the object that the agent answers with.
    #[must_use]
    pub fn with_output_schema(mut self, schema: JsonObject) -> Self {
        self.output_schema = Some(schema);
        self
    }
}

/// An agent with another description; see [`described`].
pub struct Described<A> {
    agent: A,
    info: AgentInfo,
}

/// Describes an agent.
///
/// ```
/// use agent_runner::agents::Echo;
/// use agent_runner::{Agent, AgentInfo, described};
///
/// let agent = described(Echo::default(), AgentInfo::new("Repeats what it is told."));
/// assert_eq!(agent.info().description.as_deref(), Some("Repeats what it is told."));
/// ```
pub fn described<A: Agent>(agent: A, info: AgentInfo) -> Described<A> {
    Described { agent, info }
}

impl<A: fmt::Debug> fmt::Debug for Described<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.agent.fmt(f)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<A: Agent> Agent for Described<A> {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        self.agent.run(run).await
    }

    fn recovery(&self) -> Recovery {
        self.agent.recovery()
    }

    fn summarizes(&self) -> bool {
        self.agent.summarizes()
    }

    fn info(&self) -> AgentInfo {
        self.info.clone()
    }
}
