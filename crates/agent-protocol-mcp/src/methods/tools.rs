//! `tools/list`: each agent is a tool.

use agent_runner::{AgentInfo, Runner};
use agent_schemas::{Json, JsonObject, json};

use super::prompts::named;
use crate::paging::page;
use crate::rpc::RpcError;

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
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    /// The tool's name: the agent's, with the letters that names of tools may have.
    pub(crate) name: String,
    pub(crate) agent: String,
    pub(crate) info: AgentInfo,
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
        let info = runner.agent_info(agent).unwrap_or_default();
        tools.push(Tool { name, agent: agent.to_owned(), info });
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

pub(crate) fn find(runner: &Runner, name: &str) -> Result<Tool, RpcError> {
    let found = all(runner).into_iter().find(|tool| tool.name == name);
    found.ok_or_else(|| RpcError::invalid_params(format!("There is no tool '{name}'")))
}

pub(crate) fn list(runner: &Runner, params: &JsonObject) -> Result<JsonObject, RpcError> {
    page(params, "tools", all(runner).iter().map(|tool| tool.shown().into()).collect())
}

impl Tool {
    fn shown(&self) -> JsonObject {
        let description = self.info.description.clone();
        let description = description.unwrap_or_else(|| {
            format!("Sends a message to the agent '{}' and returns its answer.", self.agent)
        });
        let mut members = named(&self.name, self.info.title.as_ref(), Some(&description));
        members.insert("inputSchema".to_owned(), self.input_schema().into());
        if let Some(schema) = &self.info.output_schema {
            members.insert("outputSchema".to_owned(), schema.clone().into());
        }
        members
    }

    /// The schema of the tool's arguments.
    pub(crate) fn input_schema(&self) -> JsonObject {
        let default = || json::parse(DEFAULT_INPUT).ok().and_then(|schema| schema.as_object().cloned());
        self.info.input_schema.clone().or_else(default).unwrap_or_default()
    }

    /// Whether the agent takes an object of its own form, and not a message.
    pub(crate) fn takes_object(&self) -> bool {
        self.info.input_schema.is_some()
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
