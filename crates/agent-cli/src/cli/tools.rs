//! The options of `agent-server tools`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Clone, Debug, Args)]
pub(crate) struct ToolsOptions {
    #[command(subcommand)]
    pub(crate) command: ToolsCommand,
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
    /// Log in at a server that wants it
    ///
    /// Prints an address to open in a browser on this machine, and keeps the tokens in a file. A running server finds them.
    Login {
        /// The name of the server in the configuration
        server: String,
        /// Scope to ask for, beside those of an earlier login; may be repeated
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
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
}
