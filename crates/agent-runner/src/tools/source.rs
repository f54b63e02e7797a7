//! Tools that can change while the server runs, such as those of MCP servers.

use std::fmt;
use std::sync::Arc;

use super::Tool;

/// Tools that can change while the server runs. An agent takes those that there are at the beginning of a turn.
///
/// ```
/// use std::sync::Arc;
///
/// use agent_runner::schemars::JsonSchema;
/// use agent_runner::tools::{OfferedTool, Tool, ToolContext, ToolError, ToolSource, tool_fn};
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// #[schemars(crate = "agent_runner::schemars")]
/// struct Refund {
///     order: u64,
/// }
///
/// #[derive(Debug)]
/// struct Shop;
///
/// impl ToolSource for Shop {
///     fn tools(&self) -> Arc<[OfferedTool]> {
///         let refund = tool_fn("refund", "Refunds an order.", |_: ToolContext, refund: Refund| async move {
///             Ok::<_, ToolError>(format!("order {} is refunded", refund.order))
///         });
///         let refund: Arc<dyn Tool> = Arc::new(refund);
///         [OfferedTool::from(refund).with_approval()].into()
///     }
/// }
/// ```
pub trait ToolSource: fmt::Debug + Send + Sync + 'static {
    /// The tools that can be called now. Their names are unique.
    fn tools(&self) -> Arc<[OfferedTool]>;
}

/// A tool as an agent offers it to its model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OfferedTool {
    /// The tool.
    pub tool: Arc<dyn Tool>,
    /// Where it comes from, if an MCP server has it.
    pub mcp: Option<McpOrigin>,
    /// Whether the user is asked before each call.
    pub needs_approval: bool,
}

impl OfferedTool {
    /// A tool of an MCP server.
    pub fn of_mcp(tool: Arc<dyn Tool>, origin: McpOrigin) -> Self {
        OfferedTool { tool, mcp: Some(origin), needs_approval: false }
    }

    /// The same tool, which is called only if the user approves.
    #[must_use]
    pub fn with_approval(mut self) -> Self {
        self.needs_approval = true;
        self
    }

    /// The name by which the model calls it.
    pub fn name(&self) -> &str {
        self.tool.name()
    }
}

impl From<Arc<dyn Tool>> for OfferedTool {
    fn from(tool: Arc<dyn Tool>) -> Self {
        OfferedTool { tool, mcp: None, needs_approval: false }
    }
}

/// The MCP server that has a tool, and the name by which it knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct McpOrigin {
    /// The server's name in the configuration, which clients see.
    pub server_label: Arc<str>,
    /// The tool's name at the server. The model may know it by another one.
    pub tool_name: Arc<str>,
}

impl McpOrigin {
    /// A tool of a server.
    pub fn new(server_label: impl Into<Arc<str>>, tool_name: impl Into<Arc<str>>) -> Self {
        McpOrigin { server_label: server_label.into(), tool_name: tool_name.into() }
    }
}
