//! `tools/list`: each agent is a tool.

use std::sync::Arc;

use agent_runner::{AgentInfo, Runner};
use agent_schemas::{Json, JsonObject, json};

use super::prompts::named;
use crate::paging::page;
use crate::rpc::RpcError;
use crate::schema::Schema;

/// The maximum length of a tool's name (2025-11-25, server/tools, "Tool Names").
const MAX_NAME: usize = 128;

/// What an agent without a schema of its own takes.
const DEFAULT_INPUT: &str = r#"{
    "type": "object",
    "properties": {
        "message": { "type": "string", "description": "What to tell the agent." },
        "session_id": {
            "type": "string",
            "description": "A name for the conversation. Calls with the same name continue it; without one, each call is a conversation of its own."
        },
        "answer_to": {
            "type": "string",
            "description": "The id of a question that an earlier call has returned, if the message answers it."
        }
    },
    "required": ["message"],
    "additionalProperties": false
}"#;

/// An agent as a tool.
#[derive(Debug)]
pub(crate) struct Tool {
    /// The tool's name: the agent's, with the letters that names of tools may have.
    name: String,
    pub(crate) agent: String,
    title: Option<String>,
    description: String,
    /// The schema of the arguments.
    pub(crate) input: Schema,
    /// Whether the arguments are an object of the agent's own form, and not a message.
    pub(crate) takes_object: bool,
    /// The schema of the agent's answer.
    pub(crate) output: Option<Arc<Schema>>,
}

/// The tools, in the order of the agents.
pub(crate) fn all(runner: &Runner) -> Vec<Tool> {
    let mut tools: Vec<Tool> = Vec::new();
    for agent in runner.agent_names() {
        let valid = tool_name(agent);
        let is_used = |name: &str| tools.iter().any(|tool| tool.name == name);
        let numbered = (2..).map(|number| format!("{valid}_{number}"));
        let name =
            std::iter::once(valid.clone()).chain(numbered).find(|name| !is_used(name)).unwrap_or_default();
        tools.push(Tool::new(name, agent, runner.agent_info(agent).unwrap_or_default()));
    }
    tools
}

/// A name with the letters and the length that names of tools may have, with room for a number.
fn tool_name(agent: &str) -> String {
    let valid = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let name: String =
        agent.chars().map(|letter| if valid(letter) { letter } else { '_' }).take(MAX_NAME - 8).collect();
    if name.is_empty() { "agent".to_owned() } else { name }
}

pub(crate) fn find<'a>(tools: &'a [Tool], name: &str) -> Result<&'a Tool, RpcError> {
    let found = tools.iter().find(|tool| tool.name == name);
    found.ok_or_else(|| RpcError::invalid_params(format!("There is no tool '{name}'")))
}

pub(crate) fn list(tools: &[Tool], params: &JsonObject) -> Result<JsonObject, RpcError> {
    page(params, "tools", tools.iter().map(|tool| tool.shown().into()).collect())
}

impl Tool {
    fn new(name: String, agent: &str, info: AgentInfo) -> Self {
        let default = || json::parse(DEFAULT_INPUT).ok().and_then(|schema| schema.as_object().cloned());
        let takes_object = info.input_schema.is_some();
        let input = info.input_schema.or_else(default).unwrap_or_default();
        let description = info
            .description
            .unwrap_or_else(|| format!("Sends a message to the agent '{agent}' and returns its answer."));
        Tool {
            name,
            agent: agent.to_owned(),
            title: info.title,
            description,
            input: Schema::of_agent(agent, input),
            takes_object,
            output: info.output_schema.map(|schema| Arc::new(Schema::of_agent(agent, schema))),
        }
    }

    fn shown(&self) -> JsonObject {
        let mut members = named(&self.name, self.title.as_ref(), Some(&self.description));
        members.insert("inputSchema".to_owned(), self.input.members().clone().into());
        if let Some(schema) = &self.output {
            members.insert("outputSchema".to_owned(), schema.members().clone().into());
        }
        members
    }
}

/// The properties of a schema whose values are repeated in headers, with their paths (2026-07-28, streamable HTTP,
/// "Schema Extension").
pub(crate) fn headers_of(schema: &JsonObject) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    collect(schema, &mut Vec::new(), &mut found);
    found
}

fn collect(schema: &JsonObject, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
    for (name, property) in properties {
        let Some(property) = property.as_object() else { continue };
        path.push(name.clone());
        if let Some(header) = property.get("x-mcp-header").and_then(Json::as_str) {
            found.push((path.clone(), header.to_owned()));
        }
        collect(property, path, found);
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use agent_runner::agents::Echo;
    use agent_schemas::object;

    use super::*;

    #[test]
    fn name__of_odd_agents__is_valid_and_unique() {
        let long = "x".repeat(200);
        let names = ["a b", "a_b", "ä", "", &long];
        let runner =
            names.iter().fold(Runner::builder(), |builder, name| builder.agent(*name, Echo::default()));
        let runner = runner.build().expect("a runner");
        let tools: Vec<String> = all(&runner).into_iter().map(|tool| tool.name).collect();
        assert_eq!(tools[..4], ["a_b", "a_b_2", "_", "agent"]);
        assert_eq!(tools[4].len(), 120);
    }

    #[test]
    fn headers__nested_properties__have_their_paths() {
        let schema = object! {
            "properties" => object! {
                "region" => object! { "type" => "string", "x-mcp-header" => "Region" },
                "where" => object! { "properties" => object! { "city" => object! { "x-mcp-header" => "City" } } },
                "list" => object! { "items" => object! { "x-mcp-header" => "No" } },
            }
        };
        let expected = [(vec!["region"], "Region"), (vec!["where", "city"], "City")];
        let expected =
            expected.map(|(path, name)| (path.into_iter().map(str::to_owned).collect(), name.to_owned()));
        assert_eq!(headers_of(&schema), expected);
    }
}
