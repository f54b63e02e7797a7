//! Whether a store that lives in this process has been started.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, ErrorKind, Result};

/// The lifecycle of a store without a backend of its own.
#[derive(Debug, Default)]
pub(crate) struct Started(AtomicBool);

impl Started {
    pub(crate) fn set(&self, started: bool) {
        self.0.store(started, Ordering::SeqCst);
    }

    /// Refuses work that comes before the start or after the stop.
    pub(crate) fn check(&self, operation: &'static str) -> Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unavailable, operation, "the service is not started"))
    }
}
