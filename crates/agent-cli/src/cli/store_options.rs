//! Where a command finds the data, without a running server.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Config, Environment, Flag, load};

/// Options of commands that open the stores themselves.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreOptions {
    /// Folder that holds the data [default: agent-server in the user's data folder]
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    /// Store that holds the data, if not the data folder, such as redis://HOST:PORT
    #[arg(long, value_name = "URL", global = true)]
    store: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

impl StoreOptions {
    /// The configuration with these options.
    ///
    /// # Errors
    /// If the configuration cannot be read or is invalid.
    pub(crate) fn load(&self, environment: &Environment) -> anyhow::Result<Config> {
        let data_dir = self.data_dir.as_ref().map(|path| path.to_string_lossy().into_owned());
        let flags = [
            Flag::given("--data-dir", "data_dir", data_dir),
            Flag::given("--store", "services.url", self.store.clone()),
        ];
        let flags: Vec<Flag> = flags.into_iter().flatten().collect();
        Ok(load(self.config.as_deref(), environment, &flags)?)
    }
}
