//! A tool that is another agent.

use agent_schemas::{Json, JsonObject, Message, object};
use async_trait::async_trait;

use super::{Tool, ToolContext, ToolError};
use crate::child::ChildSpec;

/// Lets a model ask another agent of this server. Each call is a child run; its events are reports of the call, and its
/// last message is the tool's output.
///
/// ```
/// use agent_runner::tools::{AgentTool, Tool};
///
/// let research = AgentTool::new("researcher", "Finds facts and names their sources.");
/// assert_eq!(research.name(), "researcher");
/// ```
#[derive(Clone, Debug)]
pub struct AgentTool {
    agent: String,
    description: String,
}

impl AgentTool {
    /// A tool with the name of the agent that it asks. `description` tells the model what the agent is good for.
    pub fn new(agent: impl Into<String>, description: impl Into<String>) -> Self {
        AgentTool { agent: agent.into(), description: description.into() }
    }
}

#[async_trait]
impl Tool for AgentTool {
    fn name(&self) -> &str {
        &self.agent
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn parameters(&self) -> Json {
        let task = object! {
            "type" => "string",
            "description" => "The task, with all necessary context: the agent sees nothing else."
        };
        let schema = object! {
            "type" => "object",
            "properties" => object! { "task" => task },
            "required" => vec![Json::from("task")],
            "additionalProperties" => false
        };
        schema.into()
    }

    async fn call(&self, ctx: &ToolContext, arguments: JsonObject) -> Result<Json, ToolError> {
        let Some(Json::String(task)) = arguments.get("task") else {
            return Err(ToolError::new("the argument 'task' should be a string"));
        };
        let child = ctx.start_child(ChildSpec::new(&self.agent, task)).await?;
        let response = ctx.report_child(child).await?;
        Ok(response.messages().last().map(Message::full_text).unwrap_or_default().into())
    }
}
