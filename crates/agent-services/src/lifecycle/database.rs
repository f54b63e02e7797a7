//! Identifies services that can be changed in one step.

use std::sync::atomic::{AtomicU64, Ordering};

/// Identifies a database: services in the same database can be changed in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseId(u64);

impl DatabaseId {
    /// A new id, distinct from all others in this process.
    pub fn fresh() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        DatabaseId(LAST.fetch_add(1, Ordering::Relaxed))
    }
}
