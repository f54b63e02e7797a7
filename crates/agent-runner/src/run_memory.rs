//! The memories of a user.

use agent_schemas::{Message, SessionId, UserId};
use agent_services::Result;
use agent_services::memory::{Memory, MemoryQuery, Recalled};
use agent_services::page::{Page, PageSize, PageToken};
use agent_services::retry::retry_unavailable;

use crate::Services;
use crate::history::PATIENCE;

/// The memories of one user, from all sessions.
///
/// Calls are retried for up to ten seconds while the store is unavailable, except [`RunMemory::add`], which might add
/// twice.
///
/// ```
/// use agent_runner::{RunHandle, agent_fn};
/// use agent_schemas::Message;
///
/// let agent = agent_fn(|run: RunHandle| async move {
///     let memory = run.memory();
///     let asked = run.request().last_user_text();
///     for found in memory.search(&asked).await? {
///         run.say(&format!("You once said: {}", found.memory.message.full_text()));
///     }
///     memory.add(vec![Message::user(&asked)]).await?;
///     Ok(())
/// });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RunMemory<'a> {
    services: &'a Services,
    user: &'a UserId,
    session: &'a SessionId,
}

impl<'a> RunMemory<'a> {
    pub(crate) fn new(services: &'a Services, user: &'a UserId, session: &'a SessionId) -> Self {
        RunMemory { services, user, session }
    }

    /// Adds messages from the run's session, all or none; returns their numbers.
    ///
    /// # Errors
    /// An error of the store.
    ///
    /// # Cancellation
    /// If the future is dropped, the messages may or may not be added.
    pub async fn add(&self, messages: Vec<Message>) -> Result<Vec<u64>> {
        self.services.memories.add(self.user, self.session, messages).await
    }

    /// Returns the ten memories that match these words best, best first.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn search(&self, words: impl Into<String>) -> Result<Vec<Recalled>> {
        self.query(&MemoryQuery::new(words)).await
    }

    /// Searches the memories; best results first.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn query(&self, query: &MemoryQuery) -> Result<Vec<Recalled>> {
        retry_unavailable(PATIENCE, || self.services.memories.search(self.user, query)).await
    }

    /// Lists the memories after the cursor, newest first.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn list(&self, after: Option<PageToken>, size: PageSize) -> Result<Page<Memory>> {
        retry_unavailable(PATIENCE, || self.services.memories.list(self.user, None, after, size)).await
    }

    /// Deletes a memory; returns whether it existed.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn delete(&self, number: u64) -> Result<bool> {
        retry_unavailable(PATIENCE, || self.services.memories.delete(self.user, number)).await
    }
}
