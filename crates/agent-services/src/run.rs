//! Runs: their records, their event logs, their turns in a session, and who executes them.

mod batch;
mod finish;
mod id;
mod in_memory;
mod record;
mod step;
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

pub use crate::retention::Retention;
pub use agent_schemas::{IdempotencyKey, SessionPolicy};
pub use batch::{Batch, LogChunk, Written};
pub use finish::{FinishRun, Finished};
pub use id::{FencingToken, OwnerId, fresh_id, may_exist, tag};
pub use in_memory::InMemoryRunStore;
pub use record::{Canceled, ChainedRun, Created, Grant, NewRun, RunFilter, RunRecord, epoch_has_entry};
pub use step::Step;

/// Keeps runs and their logs, and decides which run of a session is next and who may execute it.
///
/// # Contract
/// 1. `create` creates a run whose log has the given first entries; an existing id is `AlreadyExists`.
/// 2. `append` continues the log: `read` returns what was appended, in order, without gaps. The answer says whether the
///    run was asked to stop.
/// 3. Repeating entries that were appended and are still kept, byte for byte, is acknowledged and changes nothing.
/// 4. Entries that leave a gap, differ from the log, or overlap its end are a `Conflict` and change nothing.
/// 5. A token that is not the current owner's is a `Conflict` and changes nothing.
/// 6. `finish` appends the last batch and sets the record's status in one step. Repeating it is acknowledged with the
///    same answer; any other write after it is a `Conflict`.
/// 7. `read` returns entries from any position on, at least one if there is one, and about `max_bytes` at most. Its
///    `is_end` is true exactly if nothing will follow. From a position whose entry is no longer kept, it is `None`.
/// 8. `get` returns the record. A run that does not exist is `None` for `get`, `read`, `cancel` and `take_over`, and
///    `NotFound` for other writes.
/// 9. `delete` deletes an ended run; a run that has not ended is a `Conflict`, one that does not exist `false`.
/// 10. `seal` appends like `append` and settles how the run will end, in one step; repeating it is acknowledged.
/// 11. Of the runs of one session, one is in progress at a time, not counting `Concurrent` ones. A further run is queued
///     with `Enqueue`, and not created with `Reject`. With `Interrupt`, the run in progress is asked to stop, and the
///     new one goes to the front of the queue. If `max_queued` runs or `queued_bytes` of requests are queued, the result
///     is `QueueFull`.
/// 12. `finish` hands the session to the first queued run in the same step: that run is then in progress, and `next`
///     executes it. Without `next` it stays queued.
/// 13. With `Steer`, the new run is handed to the one in progress as input: `steered` lists these inputs in order, and
///     `drop_steered` drops those that were taken. When that run ends, the rest goes to the front of the queue.
/// 14. A second `create` with the same key of the same user creates nothing: it is `Repeated` for the same fingerprint,
///     and `KeyReused` for another. The key is kept as long as the run. A repeated request whose key is unknown creates
///     nothing either: it is `KeyUnknown`.
/// 15. `cancel` marks a run in progress. A queued run leaves the queue and ends as `canceled` with the given last
///     entries, in one step; entries that do not continue its log are a `Conflict`. A run that has ended or is sealed
///     stays unchanged: both are `Ended`. A marked run cannot end without its owner knowing of the mark: unless the run
///     is sealed or the caller says that it knows (`cancel_seen`), `seal` and `finish` are `Canceled` and change nothing.
/// 16. `wait` returns once the log has the entry, has ended, or was deleted. It may return early.
/// 17. `signals` returns the runs of an owner that were cancelled or steered since the last call; an empty list means
///     that the owner has to check all of its runs. It waits until there is a signal.
/// 18. A run in progress whose owner has no live lease is an orphan, and so is the first queued run of a session with no
///     run in progress. `take_over` of an orphan, or of a run of one's own, grants the right to execute it, with a
///     greater token, and starts a new epoch if it was in progress. It is `None` for any other run. If several owners try
///     at once, one succeeds. A caller without a live lease gets a `Conflict`, in the same step, for any run that has not
///     ended.
/// 19. `heartbeat` creates or renews a lease, and `release_lease` ends it. An owner that renews an expired lease keeps
///     the runs that nobody has taken over.
/// 20. `list` returns a user's runs, newest first, in pages that stay stable during other writes.
/// 21. `reader_ttl` is how long a run still counts as having a reader, according to `touch_reader`.
/// 22. `sweep` deletes ended runs beyond the retention, and no others. A run that has to be kept longer (`response_ttl`)
///     is trimmed instead: only the last entry of its log is left, and the record's `first_entry` says so. A trimmed run
///     is deleted when its own time is over. If the trimmed runs, with their requests and options, exceed the size limit
///     of logs, those whose time ends first are deleted earlier.
/// 23. With a `history`, `finish` also does what [`SessionStore::append`] does with the run's session, in the same step. A
///     history that the session rejects is `InvalidInput` and changes nothing: the caller ends the run without it, and
///     can say so in the last entry. Only a store that names a [`database`](Service::database) can do this, for the
///     sessions of that database; any other store rejects every `history` in the same way.
/// 24. Ids are opaque: whatever characters they contain, two pairs of user and session never collide. Ids that are too
///     long are `InvalidInput`.
/// 25. `delete_session` deletes all runs of a session, and `delete_user` all runs of a user, with their logs and keys,
///     whether they have ended or not. The owner of a run in progress receives a signal, and its next write is
///     `NotFound`. Runs that are created meanwhile may remain. Both return how many runs they deleted; repeating them is
///     harmless.
/// 26. `create` rejects a request that could not be read again ([`AgentRequest::check`]) as `InvalidInput`.
/// 27. A partly unreadable record is returned without the unreadable parts and with [`RunRecord::damage`]. Lists omit a
///     record without even an id or a status, and log that. No record makes others unreadable, and each can be
///     cancelled, ended and deleted.
/// 28. An owner whose lease has expired but was not released may only have lost the store for a while, like all other
///     owners. So `take_over` of its runs is `None` until the caller has held its own lease without a gap for as long as
///     that lease lasts, which gives the owner this time to renew its own. A run that was taken over cannot be taken from
///     the new owner for as long as that owner's lease was at that time, unless the owner releases it.
/// 29. `chain` returns a run and the runs that it continues (`RunOptions::continues`), itself first, each with the last
///     entry of its log if it has ended. It returns at least the run itself if it exists, and as many others as the store
///     chooses to return at once.
/// 30. `put_step` keeps a step of a run in progress under its key, in place of an earlier step with that key. `steps`
///     returns the steps of a run in the order of their keys, whether the run has ended or not. They are kept as long as
///     the run, even if its log is trimmed, and count as part of its size.
/// 31. `claim_step` keeps a step, whatever the status of the run and whoever its owner is, unless there is one with that
///     key. It returns the kept one. If several callers claim a step at once, all get the same answer.
///
/// # Concurrency and cancellation
/// Every call may come from any task at any time. A dropped write may or may not have happened; contract lines 3, 6, 10,
/// 14, 15, 23, 25, 30 and 31 make it safe to repeat.
#[async_trait]
pub trait RunStore: Service {
    /// Creates a run, unless its session or its key decides otherwise.
    async fn create(&self, run: NewRun) -> Result<Created>;

    /// Returns the record of a run.
    async fn get(&self, id: &RunId) -> Result<Option<RunRecord>>;

    /// Appends entries to a log.
    async fn append(&self, id: &RunId, token: FencingToken, batch: Batch) -> Result<Written>;

    /// Appends the last entries before the final one, and settles how the run will end. `cancel_seen` says that the caller
    /// knows of a request to stop, if there is one.
    async fn seal(
        &self,
        id: &RunId,
        token: FencingToken,
        batch: Batch,
        ending: &str,
        cancel_seen: bool,
    ) -> Result<()>;

    /// Appends the last entries, records how the run ended, hands its session on, and appends the history, if any.
    async fn finish(&self, run: FinishRun) -> Result<Finished>;

    /// Reads entries from number `from` on.
    async fn read(&self, id: &RunId, from: u64, max_bytes: usize) -> Result<Option<LogChunk>>;

    /// Returns a run and the runs that it continues, each with the last entry of its log if it has ended; about
    /// `max_bytes` at once. A store that can return several in one step overrides this.
    async fn chain(&self, id: &RunId, max_bytes: usize) -> Result<Vec<ChainedRun>> {
        let Some(record) = self.get(id).await? else { return Ok(Vec::new()) };
        let last = match record.last_entry() {
            Some(last) => self.read(id, last, max_bytes).await?,
            None => None,
        };
        Ok(vec![ChainedRun::new(record, last)])
    }

    /// Waits until there is something to read from entry `from` on.
    async fn wait(&self, id: &RunId, from: u64) -> Result<()>;

    /// Lists a user's runs after the cursor, newest first.
    async fn list(
        &self,
        user: &UserId,
        filter: &RunFilter,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<RunRecord>>;

    /// Asks a run to stop. A queued run ends at once, with these last entries.
    async fn cancel(&self, id: &RunId, last: Batch) -> Result<Option<Canceled>>;

    /// Returns the inputs handed to a run and not yet dropped, in order.
    async fn steered(&self, id: &RunId) -> Result<Vec<RunRecord>>;

    /// Drops inputs handed to a run, once its log has them.
    async fn drop_steered(&self, id: &RunId, token: FencingToken, taken: &[RunId]) -> Result<()>;

    /// Keeps a step of a run.
    async fn put_step(&self, id: &RunId, token: FencingToken, step: Step) -> Result<()>;

    /// Keeps a step of a run unless there is one with its key; returns the kept one.
    async fn claim_step(&self, id: &RunId, step: Step) -> Result<Step>;

    /// Returns the steps of a run; none if it does not exist.
    async fn steps(&self, id: &RunId) -> Result<Vec<Step>>;

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

    /// Records that a run will have a reader for this long.
    async fn touch_reader(&self, id: &RunId, time: Duration) -> Result<()>;

    /// Returns how long a run still counts as having a reader.
    async fn reader_ttl(&self, id: &RunId) -> Result<Duration>;

    /// Deletes what exceeds the retention; returns how many runs were deleted.
    async fn sweep(&self) -> Result<u64>;

    /// Deletes an ended run; returns whether it existed.
    async fn delete(&self, id: &RunId) -> Result<bool>;

    /// Deletes all runs of a session, ended or not; returns how many there were.
    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64>;

    /// Deletes all runs of a user, ended or not; returns how many there were.
    async fn delete_user(&self, user: &UserId) -> Result<u64>;

    /// Whether logs are kept in this process's memory.
    fn keeps_logs_in_memory(&self) -> bool {
        false
    }

    /// How long ended runs are kept by default.
    fn retention(&self) -> Retention;
}

/// For how many seconds an expired lease is remembered. After that, its owner counts as having released it.
pub(crate) const EXPIRED_LEASES: i64 = 24 * 60 * 60;

/// The error for a history that cannot be stored in the step that ends its run.
pub(crate) fn no_sessions(operation: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, operation, "the store does not share a database with the sessions")
}

/// The error for an end that ignores a request to stop.
pub(crate) fn canceled(operation: &'static str) -> Error {
    Error::new(ErrorKind::Canceled, operation, "the run was asked to stop, so it ends as canceled")
}

/// The error for a takeover by an owner without a live lease.
pub(crate) fn no_lease(operation: &'static str, owner: &OwnerId) -> Error {
    let message = format!("{owner} has no live lease; renew it and ask again");
    Error::new(ErrorKind::Conflict, operation, message)
}

/// The error for a write to a run that does not exist.
pub(crate) fn no_run(operation: &'static str, id: &RunId) -> Error {
    Error::new(ErrorKind::NotFound, operation, format!("there is no run {id}"))
}
