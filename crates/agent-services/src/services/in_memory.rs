//! The backend in this process's memory: `memory:`.

use std::sync::Arc;

use crate::Result;
use crate::backend::{Backend, OpenOptions, StoreUrl, Stores};
use crate::memory::InMemoryMemoryStore;
use crate::memory_budget::MemoryBudget;
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
        Ok(stores(options))
    }
}

/// Stores in memory, which share it.
pub(super) fn stores(options: &OpenOptions) -> Stores {
    let context = &options.context;
    let budget = Arc::new(options.memory_bytes.map_or_else(MemoryBudget::default, MemoryBudget::new));
    let sessions = InMemorySessionStore::new(context.clone())
        .with_retention(options.session_retention(Retention::IN_MEMORY))
        .with_budget(Arc::clone(&budget));
    let sessions = Arc::new(sessions);
    let runs = InMemoryRunStore::new(context.clone())
        .with_retention(options.retention(Retention::IN_MEMORY))
        .with_sessions(Arc::clone(&sessions))
        .with_budget(Arc::clone(&budget));
    let runs = Arc::new(runs);
    budget.may_drop_from(&runs);
    budget.may_drop_from(&sessions);
    let states = InMemoryStateStore::new(context.clone()).with_budget(Arc::clone(&budget));
    let memories = InMemoryMemoryStore::new(context.clone()).with_budget(budget);
    Stores::new(runs, sessions, Arc::new(states)).with_memories(Arc::new(memories))
}
