//! The options of `agent-server mcp`.

use std::path::PathBuf;

use clap::Args;

use crate::config::Flag;

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct McpOptions {
    /// Python script with the agent to serve, and optionally the agent's name
    #[cfg(feature = "python")]
    #[arg(value_name = "FILE[:AGENT]", conflicts_with = "agent")]
    pub(crate) script: Option<String>,
    /// Agent to serve by default: echo, demo, chat, or a name from the configuration
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for sessions, states, memories and runs [default: they are kept in memory]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Store for sessions, states, memories and runs, such as redis://HOST:PORT
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Id of the user whose runs and sessions these are
    #[arg(long, value_name = "ID", default_value = "local")]
    pub(crate) user_id: String,
    /// Log level on standard error: error, warn, info, debug, trace, or directives [default: warn]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
}

impl McpOptions {
    /// The settings that the options change.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let data_dir = self.data_dir.as_ref().map(|path| path.to_string_lossy().into_owned());
        // Several clients may each start a server, and only one could use the data folder.
        let in_memory = (self.data_dir.is_none() && self.store.is_none()).then(|| "true".to_owned());
        let flags = [
            Flag::given("--agent", "agent", self.agent.clone()),
            Flag::given("--data-dir", "data_dir", data_dir),
            Flag::given("--store", "services.url", self.store.clone()),
            Flag::given("--ephemeral", "ephemeral", in_memory),
        ];
        flags.into_iter().flatten().collect()
    }
}
