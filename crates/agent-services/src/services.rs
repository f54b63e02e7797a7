//! All services together.

mod backends;
mod in_memory;

use std::sync::Arc;

use crate::backend::{OpenOptions, Stores};
use crate::clock::{SystemClock, SystemIds};
use crate::memory::{MemoryStore, NoMemoryStore};
use crate::run::RunStore;
use crate::session::SessionStore;
use crate::state::StateStore;
use crate::{Result, Service};

pub use self::backends::{Backends, ServiceUrls};
use agent_schemas::{Clock, IdSource};

/// The services that a runner and its agents use; cheap to clone.
///
/// ```
/// # async fn example() -> agent_services::Result<()> {
/// use agent_services::Services;
///
/// let services = Services::open("memory:")?;
/// services.start().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Services {
    /// Where runs and their logs are kept.
    pub runs: Arc<dyn RunStore>,
    /// Where conversations are kept.
    pub sessions: Arc<dyn SessionStore>,
    /// Where agents keep what they are.
    pub states: Arc<dyn StateStore>,
    /// Where what is to be remembered of users is kept.
    pub memories: Arc<dyn MemoryStore>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn IdSource>,
}

impl Services {
    /// Services at a URL, not yet started: `memory:`, with the feature `sqlite` `sqlite:FOLDER`, and with the feature `redis`
    /// `redis://HOST`. [`Backends`] says which others there are, and opens services with options and with a URL for each.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the URL makes no sense.
    pub fn open(url: &str) -> Result<Self> {
        Backends::default().open(&url.parse()?, &OpenOptions::default())
    }

    /// Services that keep everything in this process's memory.
    pub fn in_memory() -> Self {
        let Stores { runs, sessions, states, memories } = in_memory::stores(&OpenOptions::default());
        let memories = memories.unwrap_or_else(|| Arc::new(NoMemoryStore::of("memory")));
        Services { runs, sessions, states, memories, clock: Arc::new(SystemClock), ids: Arc::new(SystemIds) }
    }

    /// Starts all of them.
    ///
    /// # Errors
    /// The first service's that does not start; those before it stay started.
    pub async fn start(&self) -> Result<()> {
        for service in self.with_lifecycle() {
            service.start().await?;
        }
        Ok(())
    }

    /// Stops all of them, also where one does not stop well.
    ///
    /// # Errors
    /// The first service's that did not stop well.
    pub async fn stop(&self) -> Result<()> {
        let mut result = Ok(());
        for service in self.with_lifecycle() {
            let stopped = service.stop().await;
            result = result.and(stopped);
        }
        result
    }

    /// Asks all of them whether they work.
    ///
    /// # Errors
    /// The first one's that does not.
    pub async fn health(&self) -> Result<()> {
        for service in self.with_lifecycle() {
            service.health().await?;
        }
        Ok(())
    }

    /// Whether runs and sessions are in one database, so that a run can end and its session can have what was said in one
    /// step.
    pub fn end_runs_in_one_step(&self) -> bool {
        let database = self.runs.database();
        database.is_some() && database == self.sessions.database()
    }

    fn with_lifecycle(&self) -> [&dyn Service; 4] {
        [&*self.sessions, &*self.states, &*self.memories, &*self.runs]
    }
}

impl Default for Services {
    fn default() -> Self {
        Services::in_memory()
    }
}
