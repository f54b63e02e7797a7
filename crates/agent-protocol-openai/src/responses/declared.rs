//! The tools that a request declares, and how a call is shown to its client.
//!
//! Clients execute every call that they receive as `function_call` or `custom_tool_call`, and fail or loop if they do
//! not know the tool. So only calls of declared tools are shown as such. All others are the agent's own: they are shown
//! as `mcp_call`, which clients display and never execute.

use std::collections::HashSet;

use agent_schemas::{Json, JsonObject, MessageType, RequestTool};

/// The names of the tools that the client executes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DeclaredTools(HashSet<String>);

/// The item that shows a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallForm {
    /// A `function_call`, which the client executes.
    Function,
    /// A `custom_tool_call`, which the client executes.
    Custom,
    /// An `mcp_call`, which has the output too.
    Own,
}

impl DeclaredTools {
    /// The tools of a request to the Responses API.
    pub(super) fn of_objects(tools: &[JsonObject]) -> Self {
        let mut names = HashSet::new();
        tools.iter().for_each(|tool| add_names(tool, &mut names));
        DeclaredTools(names)
    }

    /// The tools of a request of another protocol.
    pub(super) fn of_request(tools: &[RequestTool]) -> Self {
        let mut names = HashSet::new();
        for tool in tools {
            match tool {
                RequestTool::Function(tool) => {
                    names.extend(tool.function.as_ref().map(|function| function.name.clone()));
                }
                RequestTool::Other(tool) => add_names(tool, &mut names),
                _ => {}
            }
        }
        DeclaredTools(names)
    }

    /// How a call with this data is shown. A plugin call is the agent's own even if the client declares a tool of that
    /// name: the agent executes it.
    pub(super) fn form_of(&self, kind: &MessageType, data: &JsonObject) -> CallForm {
        let text = |key: &str| data.get(key).and_then(Json::as_str);
        let is_declared = text("name").is_some_and(|name| self.0.contains(name));
        match kind {
            MessageType::FunctionCall | MessageType::PluginCall if is_declared && text("input").is_some() => {
                CallForm::Custom
            }
            MessageType::FunctionCall if is_declared => CallForm::Function,
            _ => CallForm::Own,
        }
    }
}

/// Adds the name of a tool in either of OpenAI's forms, and those of the tools in a namespace.
fn add_names(tool: &JsonObject, names: &mut HashSet<String>) {
    let function = tool.get("function").and_then(Json::as_object);
    let name = function.unwrap_or(tool).get("name").and_then(Json::as_str);
    names.extend(name.map(str::to_owned));
    let inner = tool.get("tools").and_then(Json::as_array).into_iter().flatten();
    inner.filter_map(Json::as_object).for_each(|tool| add_names(tool, names));
}

#[cfg(test)]
mod tests {
    use agent_schemas::object;

    use super::*;

    #[test]
    fn call__declared_tool__is_the_clients() {
        let inner = Json::from(object! { "type" => "function", "name" => "inner" });
        let tools = [
            object! { "type" => "function", "name" => "flat" },
            object! { "type" => "function", "function" => object! { "name" => "nested" } },
            object! { "type" => "custom", "name" => "patch" },
            object! { "type" => "namespace", "name" => "n", "tools" => vec![inner] },
            object! { "type" => "web_search" },
        ];
        let declared = DeclaredTools::of_objects(&tools);
        assert_eq!(declared, DeclaredTools::of_request(&tools.map(RequestTool::Other)));
        let call = |name: &str| object! { "name" => name, "arguments" => "{}" };
        for name in ["flat", "nested", "inner"] {
            assert_eq!(declared.form_of(&MessageType::FunctionCall, &call(name)), CallForm::Function);
            assert_eq!(declared.form_of(&MessageType::PluginCall, &call(name)), CallForm::Own, "{name}");
        }
        let patch = object! { "name" => "patch", "input" => "*** Begin" };
        assert_eq!(declared.form_of(&MessageType::PluginCall, &patch), CallForm::Custom);
        assert_eq!(declared.form_of(&MessageType::FunctionCall, &patch), CallForm::Custom);
    }

    #[test]
    fn call__undeclared_tool__is_the_agents_own() {
        let declared = DeclaredTools::of_objects(&[object! { "type" => "function", "name" => "f" }]);
        for data in [
            object! { "name" => "g", "arguments" => "{}" },
            object! { "name" => "g", "input" => "text" },
            object! { "arguments" => "{}" },
            object! { "name" => 7 },
        ] {
            for kind in [MessageType::FunctionCall, MessageType::PluginCall, MessageType::ComponentCall] {
                assert_eq!(declared.form_of(&kind, &data), CallForm::Own, "{kind} {data:?}");
            }
        }
    }
}
