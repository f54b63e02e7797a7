//! The health of a store that lives in this process.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::limits::check_ids;
use crate::{DatabaseId, Error, ErrorKind, Result};

/// The lifecycle of a store that has nothing to open: it works from its creation until it is stopped.
#[derive(Debug)]
pub(crate) struct Started {
    is_started: AtomicBool,
    database: Option<DatabaseId>,
}

impl Default for Started {
    fn default() -> Self {
        Started { is_started: AtomicBool::new(true), database: None }
    }
}

impl Started {
    /// Names the database that the store shares with others.
    pub(crate) fn set_database(&mut self, database: Option<DatabaseId>) {
        self.database = database;
    }

    pub(crate) async fn start(&self) -> Result<()> {
        self.is_started.store(true, Ordering::SeqCst);
        Ok(())
    }

    pub(crate) async fn stop(&self) -> Result<()> {
        self.is_started.store(false, Ordering::SeqCst);
        Ok(())
    }

    pub(crate) async fn health(&self) -> Result<()> {
        self.check("check the store's health", &[])
    }

    pub(crate) fn database(&self) -> Option<DatabaseId> {
        self.database
    }

    /// Rejects calls after the stop, and ids that are too long.
    pub(crate) fn check(&self, operation: &'static str, ids: &[&str]) -> Result<()> {
        if !self.is_started.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, operation, "the service is stopped"));
        }
        check_ids(operation, ids.iter().copied())
    }
}
