//! Runs: their records, their event logs, their turns in a session, and who executes them.

mod batch;
mod finish;
mod id;
mod in_memory;
mod record;
pub(crate) mod wakeups;

use std::time::Duration;

use agent_schemas::{RunId, UserId};
use async_trait::async_trait;

use crate::page::{Page, PageSize, PageToken};
#[cfg(doc)]
use crate::session::SessionStore;
use crate::{Error, ErrorKind, Result, Service};

pub use agent_schemas::{IdempotencyKey, SessionPolicy};
pub use batch::{Batch, LogChunk};
pub use finish::{FinishRun, Finished};
pub use id::{FencingToken, OwnerId, fresh_id, tag};
pub use in_memory::InMemoryRunStore;
pub use record::{Canceled, Created, Grant, NewRun, RunFilter, RunRecord, epoch_has_entry};

/// How long ended runs are kept unless they ask for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end a run is deleted.
    pub age: Duration,
    /// The approximate maximum size of all ended runs' logs, in bytes; the oldest are deleted first. The remains of
    /// runs that outlive their logs have a separate limit of the same size.
    pub bytes: u64,
}

impl Retention {
    /// One day and 1 GiB, for durable stores.
    pub const DURABLE: Retention = Retention { age: Duration::from_secs(24 * 60 * 60), bytes: 1 << 30 };

    /// Ten minutes and 256 MiB, for stores in memory.
    pub const IN_MEMORY: Retention = Retention { age: Duration::from_secs(10 * 60), bytes: 256 << 20 };
}

/// Keeps runs and their logs, and decides which run of a session is next and who may execute it.
///
/// # Contract
/// 1. `create` creates a run whose log has the given first entries; an existing id is `AlreadyExists`.
/// 2. `append` continues the log: `read` returns what was appended, in order, without gaps.
/// 3. Repeating an append, byte for byte, is acknowledged and changes nothing, as long as the entries are kept.
/// 4. Entries that overlap the end of the log, differ from the stored ones, or leave a gap are a `Conflict` and change
///    nothing.
/// 5. A token other than the current owner's is a `Conflict` and changes nothing.
/// 6. `finish` appends the last batch and sets the record's status in one step. Repeating it is acknowledged with the
///    same result; any other write after it is a `Conflict`.
/// 7. `read` returns entries from any position on: at least one if there is one, and at most about `max_bytes`. Its
///    `is_end` is true exactly if no entry will follow. If the entry at the position is no longer kept, it returns
///    `None`.
/// 8. `get` returns the record. If the run does not exist, `get`, `read`, `cancel` and `take_over` return `None`, and
///    other writes are `NotFound`.
/// 9. `delete` deletes an ended run; for a run that has not ended it is a `Conflict`, for an unknown run `false`.
/// 10. `seal` appends like `append` and records how the run will end, in one step; repeating it is acknowledged.
/// 11. One run of a session is in progress at a time, apart from `Concurrent` runs. With `Enqueue`, another run waits;
///     with `Reject`, it is not created; with `Interrupt`, the run in progress is asked to stop and the new run goes to
///     the front of the queue. If `max_queued` runs are waiting, the result is `QueueFull`.
/// 12. `finish` hands the session to the longest-waiting run, in the same step: that run is then in progress, and
///     `next` executes it. Without `next` it keeps waiting.
/// 13. With `Steer`, the new run's input is handed to the run in progress: `steered` lists the inputs in order, and
///     `drop_steered` removes those that were taken. When that run ends, the rest goes to the front of the queue.
/// 14. A second `create` with the same key of the same user creates nothing: it is `Repeated` for the same fingerprint,
///     and `KeyReused` for another. The key is kept as long as the run. A request marked as a repetition whose key is
///     unknown creates nothing either: it is `KeyUnknown`.
/// 15. `cancel` marks a run in progress, removes a waiting run from the queue and grants the caller the right to end
///     it, and leaves an ended run unchanged.
/// 16. `wait` returns once the log has the entry, has ended, or was deleted. It may return early.
/// 17. `signals` returns the runs of an owner that were cancelled or steered since its last call; an empty list means
///     that the owner must check all of its runs. It waits until there is something to report.
/// 18. A run in progress whose owner has no live lease is an orphan; so is the first waiting run if none is in
///     progress. `take_over` of an orphan, or of the caller's own run, grants the right to execute it, with a greater
///     token, and starts a new epoch if it was in progress. For any other run it returns `None`. Of several concurrent
///     calls, one succeeds.
/// 19. `heartbeat` creates or renews a lease, `release_lease` ends it.
/// 20. `list` returns a user's runs, newest first, in pages that stay stable while others write.
/// 21. `reader_ttl` is how long a run still counts as having a reader since the last `touch_reader`.
/// 22. `sweep` deletes ended runs beyond the retention, and no others. A run to be kept longer (`response_ttl`) is
///     trimmed instead: only the last entry of its log stays, as the record's `first_entry` shows. It is deleted when
///     its own time is over, or when the trimmed runs, including requests and options, exceed the size limit of logs;
///     the runs that expire first are deleted first.
/// 23. With a `history`, `finish` also does what [`SessionStore::append`] does for the run's session, in the same step.
///     If the session rejects the history, the step omits it, and the run still ends. Only a store that names a
///     [`database`](Service::database) supports this, for the sessions of that database; any other rejects a `history`
///     as `InvalidInput` and changes nothing.
/// 24. Ids are opaque: whatever characters they contain, two pairs of user and session never share data. Ids that are
///     too long are `InvalidInput`.
///
/// # Concurrency and cancellation
/// Any task may make any call at any time. A dropped write may or may not have happened; contract lines 3, 6, 10, 14
/// and 23 make it safe to repeat.
#[async_trait]
pub trait RunStore: Service {
    /// Creates a run, unless its session or its key decides otherwise.
    async fn create(&self, run: NewRun) -> Result<Created>;

    /// Returns the record of a run.
    async fn get(&self, id: &RunId) -> Result<Option<RunRecord>>;

    /// Appends entries to a log.
    async fn append(&self, id: &RunId, token: FencingToken, batch: Batch) -> Result<()>;

    /// Appends the last entries before the final one, and records how the run will end.
    async fn seal(&self, id: &RunId, token: FencingToken, batch: Batch, ending: &str) -> Result<()>;

    /// Appends the last entries, records how the run ended, hands its session on, and appends the history, if any.
    async fn finish(&self, run: FinishRun) -> Result<Finished>;

    /// Reads entries from number `from` on.
    async fn read(&self, id: &RunId, from: u64, max_bytes: usize) -> Result<Option<LogChunk>>;

    /// Waits until entry `from` or a later one can be read.
    async fn wait(&self, id: &RunId, from: u64) -> Result<()>;

    /// Lists a user's runs after the cursor, newest first.
    async fn list(
        &self,
        user: &UserId,
        filter: &RunFilter,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<RunRecord>>;

    /// Asks a run to stop; `by` ends it if no process executes it.
    async fn cancel(&self, id: &RunId, by: &OwnerId) -> Result<Option<Canceled>>;

    /// The inputs handed to a run and not yet dropped, in order.
    async fn steered(&self, id: &RunId) -> Result<Vec<RunRecord>>;

    /// Drops inputs handed to a run, once its log has them.
    async fn drop_steered(&self, id: &RunId, token: FencingToken, taken: &[RunId]) -> Result<()>;

    /// Waits for signals to an owner's runs.
    async fn signals(&self, owner: &OwnerId) -> Result<Vec<RunId>>;

    /// Creates or renews an owner's lease.
    async fn heartbeat(&self, owner: &OwnerId, lease: Duration) -> Result<()>;

    /// Ends an owner's lease: the owner executes nothing from now on.
    async fn release_lease(&self, owner: &OwnerId) -> Result<()>;

    /// Lists orphaned runs, a limited number at a time.
    async fn orphans(&self, size: PageSize) -> Result<Vec<RunId>>;

    /// Acquires the right to execute an orphaned run.
    async fn take_over(&self, id: &RunId, owner: &OwnerId) -> Result<Option<FencingToken>>;

    /// Notes that a run will have a reader for this long.
    async fn touch_reader(&self, id: &RunId, time: Duration) -> Result<()>;

    /// How long a run still counts as having a reader.
    async fn reader_ttl(&self, id: &RunId) -> Result<Duration>;

    /// Deletes what exceeds the retention; returns how many runs were deleted.
    async fn sweep(&self) -> Result<u64>;

    /// Deletes an ended run; returns whether it existed.
    async fn delete(&self, id: &RunId) -> Result<bool>;
}

/// The error for a history that cannot be stored in the step that ends its run.
pub(crate) fn no_sessions(operation: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, operation, "the store does not share a database with the sessions")
}

/// The error for a write to a run that does not exist.
pub(crate) fn no_run(operation: &'static str, id: &RunId) -> Error {
    Error::new(ErrorKind::NotFound, operation, format!("there is no run {id}"))
}
