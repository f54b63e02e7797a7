//! The MCP servers of a configuration.

use std::sync::Arc;
use std::time::Duration;

use agent_runner::agents::Chat;
use agent_runner::mcp::{McpError, McpServerConfig, McpServers};
use agent_runner::tools::ToolSource;

use crate::config::{Config, ConfigError, Environment};

/// How long a server waits for the tools of MCP servers before it starts. Those that take longer come later.
pub(super) const SHORT: Duration = Duration::from_secs(5);

/// Starts the servers, and waits until each has listed its tools or has failed once, but no longer than this. Needs a
/// runtime.
///
/// # Errors
/// If a setting is wrong. A server that cannot be reached is tried again.
pub(crate) async fn start(
    config: &Config,
    environment: &Environment,
    at_most: Duration,
) -> anyhow::Result<McpServers> {
    let servers = configured(config, environment)?;
    let started = McpServers::start_with(servers, environment.basic()).map_err(fault)?;
    started.first_lists(at_most).await;
    Ok(started)
}

/// The settings of the servers, with what is in environment variables.
///
/// # Errors
/// If a variable is not set.
pub(crate) fn configured(
    config: &Config,
    environment: &Environment,
) -> Result<Vec<McpServerConfig>, ConfigError> {
    let servers = config.tools.mcp.iter().cloned();
    servers.map(|server| server.with_variables(|name| environment.get(name)).map_err(fault)).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "it is a function for map_err")]
fn fault(error: McpError) -> ConfigError {
    ConfigError::from_message(format!("tools.mcp: {error}"))
}

/// The agent with the tools of these servers, or of all.
///
/// # Errors
/// If there is no such server.
pub(super) fn with_tools(
    name: &str,
    chat: Chat,
    servers: &McpServers,
    wanted: Option<Vec<String>>,
) -> anyhow::Result<Chat> {
    Ok(chat.with_tools_of(tools_of(name, servers, wanted)?))
}

/// The tools of these servers, or of all, for an agent.
///
/// # Errors
/// If there is no such server.
pub(super) fn tools_of(
    name: &str,
    servers: &McpServers,
    wanted: Option<Vec<String>>,
) -> Result<Arc<dyn ToolSource>, ConfigError> {
    let source = servers.tools_of(wanted);
    source.map_err(|error| ConfigError::from_message(format!("agents.{name}.mcp: {error}")))
}
