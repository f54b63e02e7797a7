//! Agent state: an agent's own snapshots, round by round.

mod in_memory;

use agent_schemas::{Json, SessionId, UserId};
use async_trait::async_trait;

use crate::page::{Page, PageSize, PageToken};
use crate::{Result, Service};

pub use in_memory::InMemoryStateStore;

/// The default session, as in upstream.
pub const DEFAULT_SESSION: &str = "default";

/// Keeps the states of agents. Each save is a round, numbered per session.
///
/// # Contract
/// 1. `save` without a round uses the number after the greatest, 1 in a new session, and returns it. Concurrent saves
///    get different rounds.
/// 2. `save` with a round stores the state under that number and replaces an existing one. Rounds may be sparse, and
///    may be 0.
/// 3. `export` returns the state of a round, or of the greatest round; `None` if it does not exist.
/// 4. A state is any JSON value and is returned unchanged, including digits and the order of keys.
/// 5. `rounds` returns the numbers, greatest first, in pages that stay stable while others write.
/// 6. `delete_round`, `delete_session` and `delete_user` delete what they name and return what existed. The number of a
///    deleted round may be used again.
/// 7. Ids are opaque: whatever characters they contain, two pairs of user and session never share data. Ids that are
///    too long, and states that are too large, are `InvalidInput` and change nothing.
///
/// # Concurrency and cancellation
/// Any task may make any call at any time. A dropped save may or may not have happened.
#[async_trait]
pub trait StateStore: Service {
    /// Stores a state and returns its round.
    async fn save(&self, user: &UserId, session: &SessionId, round: Option<u64>, state: &Json)
    -> Result<u64>;

    /// Returns the state of a round, or the latest, with its round.
    async fn export(
        &self,
        user: &UserId,
        session: &SessionId,
        round: Option<u64>,
    ) -> Result<Option<(u64, Json)>>;

    /// Lists the existing rounds after the cursor, greatest first.
    async fn rounds(
        &self,
        user: &UserId,
        session: &SessionId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<u64>>;

    /// Deletes a round; returns whether it existed.
    async fn delete_round(&self, user: &UserId, session: &SessionId, round: u64) -> Result<bool>;

    /// Deletes all rounds of a session; returns how many there were.
    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64>;

    /// Deletes all states of a user; returns how many there were.
    async fn delete_user(&self, user: &UserId) -> Result<u64>;
}
