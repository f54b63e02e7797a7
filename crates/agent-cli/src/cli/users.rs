//! The options of `agent-server users`.

use clap::{Args, Subcommand};

use super::store_options::StoreOptions;

#[derive(Clone, Debug, Args)]
pub(crate) struct UsersOptions {
    #[command(subcommand)]
    pub(crate) command: UsersCommand,
    #[command(flatten)]
    pub(crate) data: StoreOptions,
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
