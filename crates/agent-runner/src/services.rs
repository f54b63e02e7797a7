//! The services that runs use.

use std::sync::Arc;

use agent_schemas::{Clock, IdSource};
use agent_services::clock::{SystemClock, SystemIds};
use agent_services::run::{InMemoryRunStore, RunStore};

/// The services that a runner and its agents use; cheap to clone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Services {
    /// Where runs and their logs are kept.
    pub runs: Arc<dyn RunStore>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn IdSource>,
}

impl Services {
    /// Services that keep everything in this process's memory.
    pub fn in_memory() -> Self {
        Services {
            runs: Arc::new(InMemoryRunStore::new()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        }
    }
}

impl Default for Services {
    fn default() -> Self {
        Services::in_memory()
    }
}
