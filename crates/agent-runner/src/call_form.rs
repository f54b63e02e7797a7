//! How the log shows a call of one of the agent's own tools.

use agent_schemas::MessageType;

/// How the log shows a call of one of the agent's own tools, and its output.
#[derive(Clone, Debug)]
pub(crate) struct CallForm {
    /// The tool's name; for a tool of an MCP server, the name that it has there.
    pub(crate) name: String,
    /// The MCP server that has the tool, if one does.
    pub(crate) server_label: Option<String>,
}

impl CallForm {
    /// A tool of the agent itself.
    pub(crate) fn plain(name: &str) -> Self {
        CallForm { name: name.to_owned(), server_label: None }
    }

    /// A tool of an MCP server.
    pub(crate) fn of_mcp(name: &str, server_label: &str) -> Self {
        CallForm { name: name.to_owned(), server_label: Some(server_label.to_owned()) }
    }

    /// The type of the output's message.
    pub(crate) fn output(&self) -> MessageType {
        if self.server_label.is_some() { MessageType::McpCallOutput } else { MessageType::PluginCallOutput }
    }
}
