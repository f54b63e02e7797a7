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

/// What is known of a session besides its messages.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Names the session among those of its user.
    pub id: SessionId,
    /// Whose session it is.
    pub user_id: UserId,
    /// What its user calls it.
    pub title: Option<String>,
    /// Anything the application wants to keep with it.
    pub metadata: JsonObject,
    /// How many messages it has.
    pub message_count: u64,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// When it was last appended to or changed, in Unix seconds.
    pub updated_at: i64,
    /// Its place among its user's sessions: a later one has a greater number.
    pub number: u64,
}

impl SessionInfo {
    /// A session without messages, made now.
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
    /// A message that was read, or what stands for one that cannot be read.
    pub(crate) fn of_read(position: u64, read: std::result::Result<Message, impl Display>) -> Self {
        StoredMessage { position, message: damage::message("session", position, read) }
    }
}

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position of the first message that was stored, or where the next one will stand.
    pub first: u64,
    /// How many messages were stored; 0 for a repeated batch.
    pub count: u64,
}

/// A change of what is known of a session. `None` leaves a part as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionChange {
    /// The new title; `Some(None)` takes it away.
    pub title: Option<Option<String>>,
    /// The new metadata, in place of the old.
    pub metadata: Option<JsonObject>,
}

/// Keeps sessions and their messages.
///
/// # Contract
/// 1. `create` makes a session with the given id or a fresh one; one that exists is kept as it is.
/// 2. `get` gives what is known of a session, without its messages; what does not exist is `None`.
/// 3. `append` stores messages at the end, all or none, in order, and makes the session if there is none. What was
///    acknowledged is never lost.
/// 4. A batch whose key was stored in this session before changes nothing and is acknowledged.
/// 5. Of the first `maybe_known` messages, those whose id is in the session or earlier in the batch are left out.
/// 6. Appends of many writers at once are all stored, each once, and each writer's in its order.
/// 7. `messages` gives them from a position on, `last_messages` the last ones, both in order with their positions, as
///    they were stored; `None` if there is no session.
/// 8. `list` gives a user's sessions, the newest first, in pages that stay stable while others write.
/// 9. `change` sets title and metadata; a session that does not exist is `NotFound`.
/// 10. `delete` forgets a session with its messages and batch keys, `delete_user` all of a user's; each says what was
///     there. A session of the same id made later is a new one.
/// 11. Ids are opaque: whatever they hold, two pairs of user and session never meet. Ids that are too long are
///     `InvalidInput`.
/// 12. What is too large, a message or a session, is `InvalidInput` and changes nothing.
/// 13. A session that a batch made which [is anonymous](MessageBatch::is_anonymous) is so until `create`, `change` or a batch
///     that is not names it. `sweep` forgets anonymous sessions that nothing was appended to for the time of the retention,
///     the oldest also where they have more bytes, and no others. It says which; a backend may forget some by itself.
/// 14. A stored message that cannot be read is given as a message of type `error` with the code `MESSAGE_DAMAGED`, and
///     metadata that cannot be read as none. Both are logged. They make nothing else unreadable, and can be deleted with
///     the session.
///
/// # Concurrency and cancellation
/// Every call may come from any task at any time. A dropped append may or may not have happened; its batch key makes
/// it safe to repeat.
#[async_trait]
pub trait SessionStore: Service {
    /// Makes a session, or gives the one that is there. Without an id it gets a fresh one.
    async fn create(&self, user: &UserId, id: Option<&SessionId>) -> Result<SessionInfo>;

    /// What is known of a session.
    async fn get(&self, user: &UserId, id: &SessionId) -> Result<Option<SessionInfo>>;

    /// Stores messages at the end of a session.
    async fn append(&self, user: &UserId, id: &SessionId, batch: MessageBatch) -> Result<Appended>;

    /// The messages from a position on.
    async fn messages(
        &self,
        user: &UserId,
        id: &SessionId,
        from: u64,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>>;

    /// The last messages.
    async fn last_messages(
        &self,
        user: &UserId,
        id: &SessionId,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>>;

    /// A user's sessions, the newest first, after the cursor.
    async fn list(
        &self,
        user: &UserId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<SessionInfo>>;

    /// Changes title and metadata, and gives what is known then.
    async fn change(&self, user: &UserId, id: &SessionId, change: SessionChange) -> Result<SessionInfo>;

    /// Forgets a session; says whether there was one.
    async fn delete(&self, user: &UserId, id: &SessionId) -> Result<bool>;

    /// Forgets all sessions of a user; says how many there were.
    async fn delete_user(&self, user: &UserId) -> Result<u64>;

    /// Forgets anonymous sessions beyond the retention; says which, with those that were forgotten since the last call
    /// because memory was short.
    async fn sweep(&self) -> Result<Vec<(UserId, SessionId)>>;
}
