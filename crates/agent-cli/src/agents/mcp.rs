//! The MCP servers of a configuration.

use std::sync::Arc;
use std::time::Duration;

use agent_runner::agents::Chat;
use agent_runner::mcp::{McpAuth, McpError, McpServerConfig, McpServers};
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
    let servers = servers(config, environment)?;
    let started = McpServers::start_with(servers, environment.basic()).map_err(fault)?;
    started.first_lists(at_most).await;
    Ok(started)
}

/// The settings of the servers, with their secrets, and with the places of their tokens.
///
/// # Errors
/// If an environment variable is not set.
pub(crate) fn servers(
    config: &Config,
    environment: &Environment,
) -> Result<Vec<McpServerConfig>, ConfigError> {
    let folder = match &config.data_dir {
        Some(folder) => Some(folder.clone()),
        None => config.resolved_data_dir(environment).ok(),
    };
    let complete = |server: &McpServerConfig| {
        let mut server = server.clone();
        if let Some(McpAuth::Login(login)) = &mut server.auth
            && login.token_file.is_none()
        {
            let file =
                folder.as_ref().map(|folder| folder.join("mcp-logins").join(format!("{}.json", server.name)));
            login.token_file = file;
        }
        server.with_variables(|name| environment.get(name))
    };
    config.tools.mcp.iter().map(complete).collect::<Result<_, _>>().map_err(fault)
}

pub(crate) fn fault(error: McpError) -> ConfigError {
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
