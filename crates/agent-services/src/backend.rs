//! What a backend is, seen from outside: whoever has a URL gets the stores that are there.
//!
//! A crate of its own can add a backend: it implements [`Backend`], and whoever opens services names it by
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
    /// Makes the stores of one place. They share what they have there, such as a file or a connection.
    ///
    /// Nothing is connected or opened yet: that is for the `start` of each store, and not all of them may be started.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the URL or an option makes no sense. A message shows no URL but
    /// by its `Display`, which leaves out secrets.
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
    /// Where agents keep what they are.
    pub states: Arc<dyn StateStore>,
    /// Where what is to be remembered of users is kept, if the backend can keep and search it.
    pub memories: Option<Arc<dyn MemoryStore>>,
}

impl Stores {
    /// Stores without one of memories.
    pub fn new(
        runs: Arc<dyn RunStore>,
        sessions: Arc<dyn SessionStore>,
        states: Arc<dyn StateStore>,
    ) -> Self {
        Stores { runs, sessions, states, memories: None }
    }

    /// The same with a store of memories.
    #[must_use]
    pub fn with_memories(mut self, memories: Arc<dyn MemoryStore>) -> Self {
        self.memories = Some(memories);
        self
    }
}
