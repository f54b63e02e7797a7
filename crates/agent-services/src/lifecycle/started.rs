//! Whether a store that lives in this process works.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::limits::check_ids;
use crate::{DatabaseId, Error, ErrorKind, Result};

/// The lifecycle of a store that has nothing to open: it works from the beginning until it is stopped.
#[derive(Debug)]
pub(crate) struct Started(AtomicBool);

impl Default for Started {
    fn default() -> Self {
        Started(AtomicBool::new(true))
    }
}

impl Started {
    pub(crate) async fn start(&self) -> Result<()> {
        self.0.store(true, Ordering::SeqCst);
        Ok(())
    }

    pub(crate) async fn stop(&self) -> Result<()> {
        self.0.store(false, Ordering::SeqCst);
        Ok(())
    }

    pub(crate) async fn health(&self) -> Result<()> {
        self.check("ask for health", &[])
    }

    /// What lives in memory is no part of a database.
    pub(crate) fn database(&self) -> Option<DatabaseId> {
        None
    }

    /// Refuses work that comes after the stop, and ids that are too long.
    pub(crate) fn check(&self, operation: &'static str, ids: &[&str]) -> Result<()> {
        if !self.0.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, operation, "the service is stopped"));
        }
        check_ids(operation, ids.iter().copied())
    }
}
