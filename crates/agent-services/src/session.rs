//! Sessions: conversations with their messages.

mod encoded;
mod in_memory;

use std::fmt::Display;

use agent_schemas::{JsonObject, Message, SessionId, UserId};
use async_trait::async_trait;

use crate::page::{Page, PageSize, PageToken};
use crate::{Result, Service, damage};

pub use encoded::{EncodedMessage, MessageBatch};
pub use in_memory::InMemorySessionStore;

/// A session without its messages.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The session's id, unique per user.
    pub id: SessionId,
    /// The user who owns the session.
    pub user_id: UserId,
    /// The title that the user chose.
    pub title: Option<String>,
    /// Application-defined metadata.
    pub metadata: JsonObject,
    /// The number of messages.
    pub message_count: u64,
    /// When the session was created, in Unix seconds.
    pub created_at: i64,
    /// When the session was last changed or appended to, in Unix seconds.
    pub updated_at: i64,
    /// The session's number; later sessions of the user have greater ones.
    pub number: u64,
}

impl SessionInfo {
    /// A new session without messages.
    pub fn new(user_id: UserId, id: SessionId, number: u64, now: i64) -> Self {
        SessionInfo {
            id,
            user_id,
            title: None,
            metadata: JsonObject::new(),
            message_count: 0,
            created_at: now,
            updated_at: now,
            number,
        }
    }
}

/// A message and its position in its session, which never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMessage {
    /// The number of messages before it.
    pub position: u64,
    /// The message.
    pub message: Message,
}

impl StoredMessage {
    /// A message that was read, or the placeholder of an unreadable one.
    pub(crate) fn of_read(position: u64, read: std::result::Result<Message, impl Display>) -> Self {
        StoredMessage { position, message: damage::message("session", position, read) }
    }
}

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position of the first stored message, or of the next one if none was stored.
    pub first: u64,
    /// The number of stored messages; 0 for a repeated batch.
    pub count: u64,
}

/// A change to a session. `None` leaves a field unchanged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionChange {
    /// The new title; `Some(None)` removes it.
    pub title: Option<Option<String>>,
    /// The new metadata, which replaces the old.
    pub metadata: Option<JsonObject>,
}

/// Keeps sessions and their messages.
///
/// # Contract
/// 1. `create` creates a session with the given id or a new one; an existing session stays unchanged.
/// 2. `get` returns a session without its messages; `None` if it does not exist.
/// 3. `append` stores messages at the end, all or none, in order, and creates the session if necessary.
///    Acknowledged messages are never lost.
/// 4. A batch whose key is already stored in this session is acknowledged and changes nothing.
/// 5. Of the first `maybe_known` messages, those whose id is already in the session or earlier in the batch are
///    skipped.
/// 6. Concurrent appends are all stored, each exactly once, and each writer's in its order.
/// 7. `messages` returns messages from a position on, `last_messages` the last ones; both in order, with their
///    positions and as they were stored; `None` if the session does not exist.
/// 8. `list` returns a user's sessions, newest first, in pages that stay stable while others write.
/// 9. `change` sets title and metadata; a session that does not exist is `NotFound`.
/// 10. `delete` deletes a session with its messages and batch keys, `delete_user` all sessions of a user; each returns
///     what existed. A session created later with the same id is a new one.
/// 11. Ids are opaque: whatever characters they contain, two pairs of user and session never collide. Ids that are too
///     long are `InvalidInput`.
/// 12. A message or session that is too large is `InvalidInput` and changes nothing.
/// 13. A session created by an [anonymous](MessageBatch::is_anonymous) batch stays anonymous until `create`, `change` or a
///     batch that is not anonymous names it. `sweep` deletes anonymous sessions without an append for the time of the
///     retention, and the oldest ones beyond its size limit, but no others. It returns them; a backend may also let some
///     expire by itself.
/// 14. An unreadable stored message is returned as a message of type `error` with the code `MESSAGE_DAMAGED`, and
///     unreadable metadata as none. Both are logged. They make nothing else unreadable, and can be deleted with the
///     session.
///
/// # Concurrency and cancellation
/// Any task may make any call at any time. A dropped append may or may not have happened; its batch key makes
/// it safe to repeat.
#[async_trait]
pub trait SessionStore: Service {
    /// Creates a session, or returns the existing one. Without an id, it gets a new one.
    async fn create(&self, user: &UserId, id: Option<&SessionId>) -> Result<SessionInfo>;

    /// Returns a session without its messages.
    async fn get(&self, user: &UserId, id: &SessionId) -> Result<Option<SessionInfo>>;

    /// Stores messages at the end of a session.
    async fn append(&self, user: &UserId, id: &SessionId, batch: MessageBatch) -> Result<Appended>;

    /// Returns the messages from a position on.
    async fn messages(
        &self,
        user: &UserId,
        id: &SessionId,
        from: u64,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>>;

    /// Returns the last messages.
    async fn last_messages(
        &self,
        user: &UserId,
        id: &SessionId,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>>;

    /// Lists a user's sessions after the cursor, newest first.
    async fn list(
        &self,
        user: &UserId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<SessionInfo>>;

    /// Changes title and metadata; returns the changed session.
    async fn change(&self, user: &UserId, id: &SessionId, change: SessionChange) -> Result<SessionInfo>;

    /// Deletes a session; returns whether it existed.
    async fn delete(&self, user: &UserId, id: &SessionId) -> Result<bool>;

    /// Deletes all sessions of a user; returns how many there were.
    async fn delete_user(&self, user: &UserId) -> Result<u64>;

    /// Deletes anonymous sessions beyond the retention. Returns them, and those that were deleted since the last call
    /// because memory was short.
    async fn sweep(&self) -> Result<Vec<(UserId, SessionId)>>;
}
