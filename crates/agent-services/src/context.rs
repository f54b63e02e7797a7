//! The common arguments of all stores.

use std::sync::Arc;

use agent_schemas::{Clock, IdSource};

use crate::clock::{SystemClock, SystemIds};
use crate::limits::StoreLimits;

/// A store's clock, source of ids, and limits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreContext {
    /// The clock for the times of changes.
    pub clock: Arc<dyn Clock>,
    /// The ids of items that are created without one.
    pub ids: Arc<dyn IdSource>,
    /// The size limits.
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
