//! Whether a store that lives in this process works.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, ErrorKind, Result};

/// The lifecycle of a store that has nothing to open: it works from the beginning until it is stopped.
#[derive(Debug)]
pub(crate) struct Started(AtomicBool);

impl Default for Started {
    fn default() -> Self {
        Started(AtomicBool::new(true))
    }
}

impl Started {
    pub(crate) fn set(&self, started: bool) {
        self.0.store(started, Ordering::SeqCst);
    }

    /// Refuses work that comes after the stop.
    pub(crate) fn check(&self, operation: &'static str) -> Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unavailable, operation, "the service is stopped"))
    }
}
