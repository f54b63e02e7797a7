//! Why the settings of MCP servers cannot be used.

/// Why the settings of an MCP server cannot be used. The text has no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the MCP server '{server}': {reason}")]
pub struct McpError {
    server: String,
    reason: String,
}

impl McpError {
    pub(super) fn new(server: &str, reason: impl Into<String>) -> Self {
        McpError { server: server.to_owned(), reason: reason.into() }
    }
}
