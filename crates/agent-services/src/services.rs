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
    /// Where agents keep their states.
    pub states: Arc<dyn StateStore>,
    /// Where memories of users are kept.
    pub memories: Arc<dyn MemoryStore>,
    /// The source of the time.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdSource>,
}

impl Services {
    /// Opens the services at a URL, without starting them: `memory:`, `sqlite:FOLDER` (feature `sqlite`) or
    /// `redis://HOST` (feature `redis`). [`Backends`] lists further schemes, and opens services with options and
    /// separate URLs.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the URL is invalid.
    pub fn open(url: &str) -> Result<Self> {
        Backends::default().open(&url.parse()?, &OpenOptions::default())
    }

    /// Services that keep everything in this process's memory.
    pub fn in_memory() -> Self {
        let Stores { runs, sessions, states, memories } = in_memory::stores(&OpenOptions::default());
        let memories = memories.unwrap_or_else(|| Arc::new(NoMemoryStore::of("memory")));
        Services { runs, sessions, states, memories, clock: Arc::new(SystemClock), ids: Arc::new(SystemIds) }
    }

    /// Starts all services.
    ///
    /// # Errors
    /// The error of the first service that does not start; the services before it stay started.
    pub async fn start(&self) -> Result<()> {
        for service in self.with_lifecycle() {
            service.start().await?;
        }
        Ok(())
    }

    /// Stops all services, even if one of them fails to stop.
    ///
    /// # Errors
    /// The error of the first service that failed to stop.
    pub async fn stop(&self) -> Result<()> {
        let mut result = Ok(());
        for service in self.with_lifecycle() {
            let stopped = service.stop().await;
            result = result.and(stopped);
        }
        result
    }

    /// Checks whether all services work. Services in the same database are checked once.
    ///
    /// # Errors
    /// The error of the first unhealthy service.
    pub async fn health(&self) -> Result<()> {
        let mut asked = Vec::new();
        for service in self.with_lifecycle() {
            let database = service.database();
            if database.is_none() || !asked.contains(&database) {
                service.health().await?;
                asked.push(database);
            }
        }
        Ok(())
    }

    /// Whether runs and sessions are in one database, so that a run's end and its session's history can be written in
    /// one step.
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
