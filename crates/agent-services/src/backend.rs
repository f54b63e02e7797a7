//! The extension point for backends: a backend creates the stores at a URL.
//!
//! A separate crate can add a backend: it implements [`Backend`], and the program that opens services registers it with
//! [`Backends::with`](crate::Backends::with).

mod options;
mod url;

use std::fmt;
use std::sync::Arc;

#[cfg(doc)]
use crate::ErrorKind;
use crate::Result;
use crate::memory::MemoryStore;
use crate::run::RunStore;
use crate::session::SessionStore;
use crate::state::StateStore;

pub use options::OpenOptions;
pub use url::{Parameters, StoreUrl};

pub(crate) const OPERATION: &str = "open the services";

/// A kind of place where services keep their data, such as a database.
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// Creates the stores of one place. They share its resources, such as a file or a connection.
    ///
    /// Does not connect or open anything yet: the `start` of each store does that, and not all of them may be started.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the URL or an option is invalid. A message may contain the URL only
    /// as its `Display` shows it, which omits secrets.
    fn open(&self, url: &StoreUrl, options: &OpenOptions) -> Result<Stores>;
}

/// The stores of one place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stores {
    /// Where runs and their logs are kept.
    pub runs: Arc<dyn RunStore>,
    /// Where conversations are kept.
    pub sessions: Arc<dyn SessionStore>,
    /// Where agents keep their states.
    pub states: Arc<dyn StateStore>,
    /// Where memories of users are kept, if the backend can keep and search them.
    pub memories: Option<Arc<dyn MemoryStore>>,
}

impl Stores {
    /// Stores without a memory store.
    pub fn new(
        runs: Arc<dyn RunStore>,
        sessions: Arc<dyn SessionStore>,
        states: Arc<dyn StateStore>,
    ) -> Self {
        Stores { runs, sessions, states, memories: None }
    }

    /// The same with a memory store.
    #[must_use]
    pub fn with_memories(mut self, memories: Arc<dyn MemoryStore>) -> Self {
        self.memories = Some(memories);
        self
    }
}
