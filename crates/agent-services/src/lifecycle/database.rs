//! What services have in common that can change together.

use std::sync::atomic::{AtomicU64, Ordering};

/// Names a database: services that are kept in the same one can be changed in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseId(u64);

impl DatabaseId {
    /// Another one than all before in this process.
    pub fn fresh() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        DatabaseId(LAST.fetch_add(1, Ordering::Relaxed))
    }
}
