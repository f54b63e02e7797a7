//! The options of `agent-server tools`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Clone, Debug, Args)]
pub(crate) struct ToolsOptions {
    #[command(subcommand)]
    pub(crate) command: ToolsCommand,
    /// Folder that holds the logins [default: agent-server in the user's data folder]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ToolsCommand {
    /// List the tools of the configured MCP servers
    ///
    /// Exits with 1 if a server is not available.
    List {
        /// Print JSON, with the schemas of the parameters
        #[arg(long)]
        json: bool,
    },
    /// Call a tool
    ///
    /// Prints the answer. Exits with 1 if the tool has none.
    Call {
        /// The name of the tool, as `tools list` shows it
        name: String,
        /// The arguments, as a JSON object
        #[arg(long, value_name = "JSON", default_value = "{}")]
        arguments: String,
    },
    /// Log in to an MCP server that wants OAuth
    ///
    /// Prints an address to open in a browser, and stores the login when the browser comes back. A running server uses it
    /// within a minute.
    Login {
        /// The name of the server
        name: String,
    },
}
