//! The memory store of backends that do not store memories.

use agent_schemas::{Message, SessionId, UserId};
use async_trait::async_trait;

use super::{Memory, MemoryQuery, MemoryStore, Recalled};
use crate::lifecycle::{Started, lifecycle_of};
use crate::page::{Page, PageSize, PageToken};
use crate::{Error, ErrorKind, Result};

/// The memory store of a backend that does not store memories: it is healthy, and every call fails with
/// [`Unsupported`](ErrorKind::Unsupported).
#[derive(Debug)]
pub struct NoMemoryStore {
    scheme: String,
    started: Started,
}

lifecycle_of!(NoMemoryStore.started);

impl NoMemoryStore {
    /// The memory store of the backend with this scheme.
    pub fn of(scheme: impl Into<String>) -> Self {
        NoMemoryStore { scheme: scheme.into(), started: Started::default() }
    }

    fn refuse<T>(&self, operation: &'static str) -> Result<T> {
        self.started.check(operation, &[])?;
        let message = format!(
            "the backend `{}:` does not store memories; configure a separate URL for memories, such as sqlite:PATH",
            self.scheme
        );
        Err(Error::new(ErrorKind::Unsupported, operation, message))
    }
}

#[async_trait]
impl MemoryStore for NoMemoryStore {
    async fn add(&self, _: &UserId, _: &SessionId, _: Vec<Message>) -> Result<Vec<u64>> {
        self.refuse("add memories")
    }

    async fn search(&self, _: &UserId, _: &MemoryQuery) -> Result<Vec<Recalled>> {
        self.refuse("search memories")
    }

    async fn list(
        &self,
        _: &UserId,
        _: Option<&SessionId>,
        _: Option<PageToken>,
        _: PageSize,
    ) -> Result<Page<Memory>> {
        self.refuse("list memories")
    }

    async fn delete(&self, _: &UserId, _: u64) -> Result<bool> {
        self.refuse("delete a memory")
    }

    async fn delete_session(&self, _: &UserId, _: &SessionId) -> Result<u64> {
        self.refuse("delete the memories of a session")
    }

    async fn delete_user(&self, _: &UserId) -> Result<u64> {
        self.refuse("delete the memories of a user")
    }
}
