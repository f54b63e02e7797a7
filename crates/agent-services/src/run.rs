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

pub use crate::retention::Retention;
pub use agent_schemas::{IdempotencyKey, SessionPolicy};
pub use batch::{Batch, LogChunk, Written};
pub use finish::{FinishRun, Finished};
pub use id::{FencingToken, OwnerId, fresh_id, may_exist, tag};
pub use in_memory::InMemoryRunStore;
pub use record::{Canceled, ChainedRun, Created, Grant, NewRun, RunFilter, RunRecord, epoch_has_entry};

/// Keeps runs and their logs, and decides which run of a session is next and who may execute it.
///
/// # Contract
/// 1. `create` makes a run whose log has the given first entries; an id that exists is `AlreadyExists`.
/// 2. `append` continues the log: what `read` gives is what was appended, in order, without gaps. Its answer says whether
///     the run was asked to stop.
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
/// 10. `seal` appends like `append` and settles how the run is going to end, in one step; repeating it is acknowledged.
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
///     in one step; entries that do not continue its log are a `Conflict`. One that has ended, or is sealed, stays as it is: both
///     are `Ended`. What is marked cannot end unawares: `seal` and `finish` are `Canceled`, and change nothing, where the run
///     is marked and not sealed, unless their caller says that it knows (`cancel_seen`).
/// 16. `wait` returns once the log has the entry, or has ended, or is gone. It may return early.
/// 17. `signals` gives the runs of an owner that were cancelled or steered since it was last asked; none mean that it has to
///     look at all of its runs. It waits until there is something to tell.
/// 18. A run in progress whose owner has no live lease is an orphan, and so is the first that waits where none is in progress.
///     `take_over` of an orphan, or of one's own run, gives the right to execute it, with a greater token, and starts a
///     new epoch if it was in progress. It is `None` for any other run. Of several at once one succeeds. A taker without a
///     live lease is refused as a `Conflict`, in the same step, whatever run it asks for that has not ended.
/// 19. `heartbeat` makes or renews a lease, `release_lease` ends it. One that has expired and is renewed before anybody took
///     its runs keeps them.
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
/// 28. An owner whose lease has expired, and was not released, may only have lost the store for a while, as everybody may
///     have. So `take_over` of its runs is `None` until the taker has held its own lease without a gap for as long as that
///     lasts, which gives the owner this time to renew its own. A run that was taken over is not taken from the new owner for
///     as long as that owner's lease was then, unless the owner releases it.
/// 29. `chain` gives a run and those that it continues (`RunOptions::continues`), itself first, each with the last entry of
///     its log if it has ended: the run itself if it exists, and as many more as the store likes to give at once.
///
/// # Concurrency and cancellation
/// Every call may come from any task at any time. A dropped write may or may not have happened; contract lines 3, 6, 10, 14,
/// 15, 23 and 25 make it safe to repeat.
#[async_trait]
pub trait RunStore: Service {
    /// Creates a run, unless its session or its key decides otherwise.
    async fn create(&self, run: NewRun) -> Result<Created>;

    /// Returns the record of a run.
    async fn get(&self, id: &RunId) -> Result<Option<RunRecord>>;

    /// Appends entries to a log.
    async fn append(&self, id: &RunId, token: FencingToken, batch: Batch) -> Result<Written>;

    /// Appends the last entries before the final one, and settles how the run is going to end. `cancel_seen` says that the
    /// caller knows of a request to stop, if there is one.
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

    /// A run and those that it continues, each with the last entry of its log if it has ended; about `max_bytes` at once. A
    /// store that can give several in one step replaces this.
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

    /// Asks a run to stop. One that waits ends at once, with these last entries.
    async fn cancel(&self, id: &RunId, last: Batch) -> Result<Option<Canceled>>;

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

    /// Deletes all runs of a session, ended or not; returns how many there were.
    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64>;

    /// Deletes all runs of a user, ended or not; returns how many there were.
    async fn delete_user(&self, user: &UserId) -> Result<u64>;
    /// Whether logs are kept in this process, whose memory they take.
    fn keeps_logs_in_memory(&self) -> bool {
        false
    }

    /// How long ended runs are kept that do not ask for more.
    fn retention(&self) -> Retention;
}

/// For how many seconds a lease that has expired is remembered. After that its owner counts as one that has released it.
pub(crate) const EXPIRED_LEASES: i64 = 24 * 60 * 60;

/// The fault of a history that cannot be stored in the step that ends its run.
pub(crate) fn no_sessions(operation: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, operation, "the store does not share a database with the sessions")
}

/// The fault of an end that ignores a request to stop.
pub(crate) fn canceled(operation: &'static str) -> Error {
    Error::new(ErrorKind::Canceled, operation, "the run was asked to stop, so it ends as canceled")
}

/// The fault of a takeover by an owner that is not known to live.
pub(crate) fn no_lease(operation: &'static str, owner: &OwnerId) -> Error {
    let message = format!("{owner} has no live lease; renew it and ask again");
    Error::new(ErrorKind::Conflict, operation, message)
}

/// The fault of a write to a run that does not exist.
pub(crate) fn no_run(operation: &'static str, id: &RunId) -> Error {
    Error::new(ErrorKind::NotFound, operation, format!("there is no run {id}"))
}
