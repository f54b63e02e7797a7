//! The options of `agent-server store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::store_options::StoreOptions;

#[derive(Clone, Debug, Args)]
pub(crate) struct StoreCommandOptions {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
    #[command(flatten)]
    pub(crate) data: StoreOptions,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Copy the database into another folder, also while a server is using it
    ///
    /// The copy is the state at one moment, with all sessions, states, memories and runs, and only its owner may read it.
    /// It is a data folder itself: to restore it, start a server with --data-dir DIR, or move it to the place of the
    /// original while no server is running. Data in Redis is backed up with Redis' own tools.
    Backup {
        /// Folder for the copy; it must be empty or not exist yet
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}
