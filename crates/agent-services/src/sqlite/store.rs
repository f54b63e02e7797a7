//! The common part of the stores: a database that they use from start to stop.

use std::sync::Arc;

use parking_lot::RwLock;
use rusqlite::Connection;

use super::database::{Lease, SqliteDatabase};
use super::failure::Outcome;
use super::open::{Open, read_only};
use super::writer::Urgency;
use crate::limits::check_ids;
use crate::{DatabaseId, Error, ErrorKind, Result};

/// A store's access to its database.
#[derive(Debug)]
pub(super) struct Access {
    database: SqliteDatabase,
    lease: RwLock<Option<Lease>>,
}

impl Access {
    pub(super) fn new(database: SqliteDatabase) -> Self {
        Access { database, lease: RwLock::default() }
    }

    pub(super) async fn start(&self) -> Result<()> {
        if self.lease.read().is_some() {
            return Ok(());
        }
        let lease = self.database.lease().await?;
        // If two starts happen concurrently, the later one's lease is released.
        self.lease.write().get_or_insert(lease);
        Ok(())
    }

    pub(super) async fn stop(&self) -> Result<()> {
        let lease = self.lease.write().take();
        match lease {
            Some(lease) => lease.end().await,
            None => Ok(()),
        }
    }

    pub(super) async fn health(&self) -> Result<()> {
        const OPERATION: &str = "check the store's health";
        self.open(OPERATION)?.probe(OPERATION).await
    }

    pub(super) fn database(&self) -> Option<DatabaseId> {
        Some(self.database.id())
    }

    /// Rejects invalid requests before doing any work.
    pub(super) fn check(&self, operation: &'static str, ids: &[&str]) -> Result<()> {
        self.open(operation)?;
        check_ids(operation, ids.iter().copied())
    }

    /// Rejects work that only the owner of the database can do.
    pub(super) fn check_is_owner(&self, operation: &'static str) -> Result<()> {
        if self.database.is_read_only() { Err(read_only(operation)) } else { Ok(()) }
    }

    /// Reads from a consistent state of the database.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        self.open(operation)?.read(operation, work).await
    }

    /// Writes at once, all or nothing, even if the caller no longer waits.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnMut(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        self.write_with(operation, Urgency::Now, work).await
    }

    /// The same with another urgency.
    pub(super) async fn write_with<T: Send + 'static>(
        &self,
        operation: &'static str,
        urgency: Urgency,
        work: impl FnMut(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        self.open(operation)?.write(operation, urgency, work).await
    }

    fn open(&self, operation: &'static str) -> Result<Arc<Open>> {
        let lease = self.lease.read();
        let open = lease.as_ref().map(|lease| Arc::clone(lease.open()));
        open.ok_or_else(|| Error::new(ErrorKind::Unavailable, operation, "the store is not started"))
    }
}
