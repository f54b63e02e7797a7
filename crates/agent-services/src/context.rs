//! What every store is made with.

use std::sync::Arc;

use agent_schemas::{Clock, IdSource};

use crate::clock::{SystemClock, SystemIds};
use crate::limits::StoreLimits;

/// Where a store has the time and fresh ids from, and what it may hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreContext {
    /// The time of changes.
    pub clock: Arc<dyn Clock>,
    /// Ids for what is made without one.
    pub ids: Arc<dyn IdSource>,
    /// What is too large.
    pub limits: StoreLimits,
}

impl Default for StoreContext {
    /// The system's clock, random ids, and the default limits.
    fn default() -> Self {
        StoreContext {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            limits: StoreLimits::default(),
        }
    }
}

impl StoreContext {
    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: StoreLimits) -> Self {
        self.limits = limits;
        self
    }
}
