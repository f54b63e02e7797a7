//! Runs: their records and their event logs.

mod in_memory;

use std::fmt;
use std::sync::Arc;

use agent_schemas::{AgentRequest, RunId, SessionId, Status, UserId};
use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

pub use in_memory::InMemoryRunStore;

/// What is known of a run besides its log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunRecord {
    /// Names the run.
    pub id: RunId,
    /// Whose run it is.
    pub user_id: UserId,
    /// The conversation it belongs to.
    pub session_id: SessionId,
    /// The agent that runs.
    pub agent: String,
    /// When the request came, in Unix seconds.
    pub created_at: i64,
    /// The request, checked and with its ids filled in.
    pub request: Arc<AgentRequest>,
    /// `in_progress` until the log has ended, then how it ended.
    pub status: Status,
}

impl RunRecord {
    /// The record of a run that is about to start.
    pub fn new(
        id: RunId,
        user_id: UserId,
        session_id: SessionId,
        agent: impl Into<String>,
        created_at: i64,
        request: Arc<AgentRequest>,
    ) -> Self {
        RunRecord {
            id,
            user_id,
            session_id,
            agent: agent.into(),
            created_at,
            request,
            status: Status::InProgress,
        }
    }
}

/// The right to write a run's log. A later owner's token is greater, which locks out every earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FencingToken(pub u64);

/// Consecutive entries of a log, encoded as frames (see [`agent_schemas::sse`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The number of the first entry.
    pub first: u64,
    /// How many entries there are.
    pub count: u64,
    /// Their frames, one after the other.
    pub frames: Bytes,
}

impl Batch {
    /// The number of the entry that follows.
    pub fn end(&self) -> u64 {
        self.first + self.count
    }

    /// The part from entry `from` on; `None` if that is past the end.
    pub fn starting_at(&self, from: u64) -> Option<Batch> {
        if from <= self.first {
            return Some(self.clone());
        }
        let skipped = from - self.first;
        if skipped >= self.count {
            return None;
        }
        let start = agent_schemas::sse::skip_frames(&self.frames, usize::try_from(skipped).ok()?);
        Some(Batch { first: from, count: self.count - skipped, frames: self.frames.slice(start..) })
    }
}

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entries, in order and without gaps; none if the log has nothing from the asked position on yet.
    pub batches: Vec<Batch>,
    /// Whether the log ends with the last of these entries, so that nothing will ever follow them.
    pub is_end: bool,
}

/// Keeps runs and their logs.
///
/// # Contract
/// 1. `create` makes an empty log and gives its first owner's token; an id that exists is `AlreadyExists`.
/// 2. `append` continues the log: what `read` gives is what was appended, in order, without gaps.
/// 3. Repeating entries that were appended, byte for byte, is acknowledged and changes nothing.
/// 4. Entries that overlap the log's end or differ from what it has, and a gap, are a `Conflict` and change nothing.
/// 5. A token that is not the current owner's is a `Conflict`, and changes nothing.
/// 6. `finish` appends the last batch and sets the record's status in one step; repeating it is acknowledged; any
///    other write after it is a `Conflict`.
/// 7. `read` gives entries from any position on, at least one if there is one, and at most about `max_bytes`; its
///    `is_end` is true exactly when nothing will follow them.
/// 8. `get` gives the record; what does not exist is `None` for `get` and `read`, and `NotFound` for writes.
/// 9. `delete` forgets the run; deleting what does not exist is `false`, not an error.
///
/// # Concurrency and cancellation
/// Every call may come from any task at any time. A dropped write may or may not have happened; contract lines 3
/// and 6 make it safe to repeat.
#[async_trait]
pub trait RunStore: fmt::Debug + Send + Sync + 'static {
    /// Makes a run with an empty log and gives the right to write it.
    async fn create(&self, record: RunRecord) -> Result<FencingToken>;

    /// The record of a run.
    async fn get(&self, id: &RunId) -> Result<Option<RunRecord>>;

    /// Appends entries to a log.
    async fn append(&self, id: &RunId, token: FencingToken, batch: Batch) -> Result<()>;

    /// Appends the last entries and records how the run ended.
    async fn finish(&self, id: &RunId, token: FencingToken, batch: Batch, status: Status) -> Result<()>;

    /// Reads entries from number `from` on.
    async fn read(&self, id: &RunId, from: u64, max_bytes: usize) -> Result<Option<Page>>;

    /// Forgets a run; says whether there was one.
    async fn delete(&self, id: &RunId) -> Result<bool>;
}
