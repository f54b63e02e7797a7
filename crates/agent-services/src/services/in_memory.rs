//! The backend in this process's memory: `memory:`.

use std::sync::Arc;

use crate::Result;
use crate::backend::{Backend, OpenOptions, StoreUrl, Stores};
use crate::memory::InMemoryMemoryStore;
use crate::run::{InMemoryRunStore, Retention};
use crate::session::InMemorySessionStore;
use crate::state::InMemoryStateStore;

/// Keeps everything in this process's memory, until the process ends.
#[derive(Debug)]
pub(super) struct InMemoryBackend;

impl Backend for InMemoryBackend {
    fn open(&self, url: &StoreUrl, options: &OpenOptions) -> Result<Stores> {
        url.parameters(&[])?;
        if !url.location().is_empty() {
            return Err(url.fault("`memory:` takes no path"));
        }
        let context = &options.context;
        let sessions = Arc::new(InMemorySessionStore::new(context.clone()));
        let runs = InMemoryRunStore::new(context.clone())
            .with_retention(options.retention(Retention::IN_MEMORY))
            .with_sessions(Arc::clone(&sessions));
        let states = Arc::new(InMemoryStateStore::new(context.clone()));
        let memories = Arc::new(InMemoryMemoryStore::new(context.clone()));
        Ok(Stores::new(Arc::new(runs), sessions, states).with_memories(memories))
    }
}
