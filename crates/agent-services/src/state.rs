//! Agent state: snapshots that an agent keeps of itself, round by round.

mod in_memory;

use agent_schemas::{Json, SessionId, UserId};
use async_trait::async_trait;

use crate::page::{Page, PageSize, PageToken};
use crate::{Result, Service};

pub use in_memory::InMemoryStateStore;

/// The session that is used where none is named, as in upstream.
pub const DEFAULT_SESSION: &str = "default";

/// Keeps the states of agents. Each save is a round; a session's rounds have numbers of their own.
///
/// # Contract
/// 1. `save` without a round takes the one after the greatest, 1 in a new session, and gives its number. Saves at once
///    all get different rounds.
/// 2. `save` with a round stores it under that number, in place of what was there. Rounds may be sparse, and 0 is one.
/// 3. `export` gives the state of a round, or of the greatest; what does not exist is `None`.
/// 4. A state is any JSON value and comes back as it was, digits and the order of keys included.
/// 5. `rounds` gives the numbers, the greatest first, in pages that stay stable while others write.
/// 6. `delete_round`, `delete_session` and `delete_user` forget what they name and say what was there. The number of a
///    deleted round may come again.
/// 7. Ids are opaque: whatever they hold, two pairs of user and session never meet. Ids that are too long, and states
///    that are too large, are `InvalidInput` and change nothing.
///
/// # Concurrency and cancellation
/// Every call may come from any task at any time. A dropped save may or may not have happened.
#[async_trait]
pub trait StateStore: Service {
    /// Stores a state, and gives its round.
    async fn save(&self, user: &UserId, session: &SessionId, round: Option<u64>, state: &Json)
    -> Result<u64>;

    /// The state of a round, or the latest, with its round.
    async fn export(
        &self,
        user: &UserId,
        session: &SessionId,
        round: Option<u64>,
    ) -> Result<Option<(u64, Json)>>;

    /// The rounds that there are, the greatest first, after the cursor.
    async fn rounds(
        &self,
        user: &UserId,
        session: &SessionId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<u64>>;

    /// Forgets a round; says whether there was one.
    async fn delete_round(&self, user: &UserId, session: &SessionId, round: u64) -> Result<bool>;

    /// Forgets all rounds of a session; says how many there were.
    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64>;

    /// Forgets all states of a user; says how many there were.
    async fn delete_user(&self, user: &UserId) -> Result<u64>;
}
