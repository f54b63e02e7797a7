//! The options of `agent-server users`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Clone, Debug, Args)]
pub(crate) struct UsersOptions {
    #[command(subcommand)]
    pub(crate) command: UsersCommand,
    /// Folder that holds the data [default: agent-server in the user's data folder]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Store that holds the data, if not the data folder, such as redis://HOST:PORT
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) store: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// Delete all data of a user: runs, sessions, states and memories
    ///
    /// Cancels runs that have not ended, then deletes. Prints how much was deleted. Safe to repeat.
    Forget {
        /// The user
        #[arg(value_name = "USER")]
        id: String,
        /// Address of the running server, such as http://127.0.0.1:8080
        #[cfg(feature = "client")]
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
}
