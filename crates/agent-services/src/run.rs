//! Runs: their records, their event logs, their turns in a session, and who executes them.

mod batch;
mod finish;
mod id;
mod in_memory;
mod record;
pub(crate) mod wakeups;

use std::time::Duration;

#[cfg(doc)]
use agent_schemas::AgentRequest;
use agent_schemas::{RunId, SessionId, UserId};
use async_trait::async_trait;

use crate::page::{Page, PageSize, PageToken};
#[cfg(doc)]
use crate::session::SessionStore;
use crate::{Error, ErrorKind, Result, Service};

pub use agent_schemas::{IdempotencyKey, SessionPolicy};
pub use batch::{Batch, LogChunk};
pub use finish::{FinishRun, Finished};
pub use id::{FencingToken, OwnerId, fresh_id, may_exist, tag};
pub use in_memory::InMemoryRunStore;
pub use record::{Canceled, Created, Grant, NewRun, RunFilter, RunRecord, epoch_has_entry};

/// How long ended runs are kept that do not ask for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end a run is forgotten.
    pub age: Duration,
    /// How many bytes the logs of ended runs may have together, roughly; the oldest go first. What is kept of runs for longer
    /// than their logs may have as many again.
    pub bytes: u64,
}

impl Retention {
    /// A day and a gibibyte: for stores that outlive the process.
    pub const DURABLE: Retention = Retention { age: Duration::from_secs(24 * 60 * 60), bytes: 1 << 30 };

    /// Ten minutes and 256 MiB: for stores in memory.
    pub const IN_MEMORY: Retention = Retention { age: Duration::from_secs(10 * 60), bytes: 256 << 20 };
}

/// Keeps runs and their logs, says whose turn it is in a session, and who may execute what.
///
/// # Contract
/// 1. `create` makes a run whose log has the given first entries; an id that exists is `AlreadyExists`.
/// 2. `append` continues the log: what `read` gives is what was appended, in order, without gaps.
/// 3. Repeating entries that were appended and are kept, byte for byte, is acknowledged and changes nothing.
/// 4. Entries that overlap the log's end or differ from what it has, and a gap, are a `Conflict` and change nothing.
/// 5. A token that is not the current owner's is a `Conflict`, and changes nothing.
/// 6. `finish` appends the last batch and sets the record's status in one step; repeating it is acknowledged with the same
///    answer; any other write after it is a `Conflict`.
/// 7. `read` gives entries from any position on, at least one if there is one, and at most about `max_bytes`; its
///    `is_end` is true exactly when nothing will follow them. From a position whose entry is not kept any more it is `None`.
/// 8. `get` gives the record; what does not exist is `None` for `get`, `read`, `cancel` and `take_over`, and `NotFound` for
///    other writes.
/// 9. `delete` forgets an ended run; one that has not ended is a `Conflict`, one that does not exist `false`.
/// 10. `seal` appends like `append` and records how the run is going to end, in one step; repeating it is acknowledged.
/// 11. Of the runs of one session, besides those that run `Concurrent`, one is in progress at a time. Another one waits with
///     `Enqueue`, is not made with `Reject`; with `Interrupt` the one in progress is asked to stop and the new one goes
///     before all that wait. Where `max_queued` wait, it is `QueueFull`.
/// 12. `finish` hands the session to the one that waits longest, in the same step: it is in progress then, and `next`
///     executes it. Without `next` it continues to wait.
/// 13. With `Steer`, the new one is handed to the one in progress: `steered` lists what was, in order; `drop_steered` forgets
///     what was taken. The rest goes before all that wait when that run ends.
/// 14. A second `create` with the same key of the same user makes nothing: it is `Repeated` for the same fingerprint, and
///     `KeyReused` for another. The key is kept as long as the run; a repeated
///     request whose key is not known makes nothing either: it is `KeyUnknown`.
/// 15. `cancel` marks a run in progress. One that waits leaves the queue and ends as `canceled` with the given last entries,
///     in one step; entries that do not continue its log are a `Conflict`. One that has ended stays as it is.
/// 16. `wait` returns once the log has the entry, or has ended, or is gone. It may return early.
/// 17. `signals` gives the runs of an owner that were cancelled or steered since it was last asked; none mean that it has to
///     look at all of its runs. It waits until there is something to tell.
/// 18. A run in progress whose owner has no live lease is an orphan, and so is the first that waits where none is in progress.
///     `take_over` of an orphan, or of one's own run, gives the right to execute it, with a greater token, and starts a
///     new epoch if it was in progress. It is `None` for any other run. Of several at once one succeeds.
/// 19. `heartbeat` makes or renews a lease, `release_lease` ends it.
/// 20. `list` gives a user's runs, the newest first, in pages that stay stable while others write.
/// 21. `reader_ttl` is how long a run still counts as having a reader, after what `touch_reader` said.
/// 22. `sweep` forgets ended runs beyond the retention, and no others. One that is to be kept for longer (`response_ttl`) is
///     trimmed then: of its log, the last entry is left, as the record's `first_entry` says. It is forgotten when its own
///     time is over, or where those that are trimmed have more bytes, with their requests and options, than logs may have; the first
///     to go is the one whose time is over first.
/// 23. With a `history`, `finish` also does what [`SessionStore::append`] does with the run's session, in the same step. A
///     history that the session refuses is `InvalidInput` and changes nothing: the caller ends the run without it, and can
///     say so in the last entry. Only a store that names a [`database`](Service::database) can do it, for the sessions of
///     that database; any other refuses every `history` alike.
/// 24. Ids are opaque: whatever they hold, two pairs of user and session never meet. Ids that are too long are
///     `InvalidInput`.
/// 25. `delete_session` forgets all runs of a session, `delete_user` all of a user's: with their logs and keys, whether they
///     have ended or not. The owner of a run in progress receives a signal, and its next write is `NotFound`. Runs that are
///     created meanwhile may remain. Both say how many runs are gone; repeating them is harmless.
/// 26. `create` refuses a request that could not be read again ([`AgentRequest::check`]) as `InvalidInput`.
/// 27. A record of which something cannot be read is given without it, and with [`RunRecord::damage`]. Lists leave out
///     what has not even an id or a status, and log that. No record makes others unreadable, and each can be cancelled,
///     ended and deleted.
///
/// # Concurrency and cancellation
/// Every call may come from any task at any time. A dropped write may or may not have happened; contract lines 3, 6, 10, 14,
/// 15, 23 and 25 make it safe to repeat.
#[async_trait]
pub trait RunStore: Service {
    /// Makes a run, unless its session or its key says otherwise.
    async fn create(&self, run: NewRun) -> Result<Created>;

    /// The record of a run.
    async fn get(&self, id: &RunId) -> Result<Option<RunRecord>>;

    /// Appends entries to a log.
    async fn append(&self, id: &RunId, token: FencingToken, batch: Batch) -> Result<()>;

    /// Appends the last entries before the final one, and records how the run is going to end.
    async fn seal(&self, id: &RunId, token: FencingToken, batch: Batch, ending: &str) -> Result<()>;

    /// Appends the last entries, records how the run ended, hands its session on, and appends the history if there is one.
    async fn finish(&self, run: FinishRun) -> Result<Finished>;

    /// Reads entries from number `from` on.
    async fn read(&self, id: &RunId, from: u64, max_bytes: usize) -> Result<Option<LogChunk>>;

    /// Waits until there is something to read from entry `from` on.
    async fn wait(&self, id: &RunId, from: u64) -> Result<()>;

    /// A user's runs, the newest first, after the cursor.
    async fn list(
        &self,
        user: &UserId,
        filter: &RunFilter,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<RunRecord>>;

    /// Asks a run to stop. One that waits ends at once, with these last entries.
    async fn cancel(&self, id: &RunId, last: Batch) -> Result<Option<Canceled>>;

    /// What was handed to a run and not yet dropped, in order.
    async fn steered(&self, id: &RunId) -> Result<Vec<RunRecord>>;

    /// Forgets what was handed to a run, once its log has it.
    async fn drop_steered(&self, id: &RunId, token: FencingToken, taken: &[RunId]) -> Result<()>;

    /// Waits for signals to an owner's runs.
    async fn signals(&self, owner: &OwnerId) -> Result<Vec<RunId>>;

    /// Makes or renews an owner's lease.
    async fn heartbeat(&self, owner: &OwnerId, lease: Duration) -> Result<()>;

    /// Ends an owner's lease: it executes nothing any more.
    async fn release_lease(&self, owner: &OwnerId) -> Result<()>;

    /// Orphaned runs, some at a time.
    async fn orphans(&self, size: PageSize) -> Result<Vec<RunId>>;

    /// Takes the right to execute an orphaned run.
    async fn take_over(&self, id: &RunId, owner: &OwnerId) -> Result<Option<FencingToken>>;

    /// Notes that a run has a reader, and will have for this long.
    async fn touch_reader(&self, id: &RunId, time: Duration) -> Result<()>;

    /// How long a run still counts as having a reader.
    async fn reader_ttl(&self, id: &RunId) -> Result<Duration>;

    /// Deletes what is older or larger than the retention; returns how many runs are gone.
    async fn sweep(&self) -> Result<u64>;

    /// Deletes a run that has ended; returns whether there was one.
    async fn delete(&self, id: &RunId) -> Result<bool>;

    /// Deletes all runs of a session, ended or not; returns how many there were.
    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64>;

    /// Deletes all runs of a user, ended or not; returns how many there were.
    async fn delete_user(&self, user: &UserId) -> Result<u64>;
}

/// The fault of a history that cannot be stored in the step that ends its run.
pub(crate) fn no_sessions(operation: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, operation, "the store shares no database with sessions")
}

/// The fault of a write to a run that does not exist.
pub(crate) fn no_run(operation: &'static str, id: &RunId) -> Error {
    Error::new(ErrorKind::NotFound, operation, format!("there is no run {id}"))
}
