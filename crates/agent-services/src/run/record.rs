//! A run without its log, and how runs are created.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{
    AgentRequest, IdempotencyKey, RunId, RunOptions, SessionId, SessionPolicy, Status, UserId,
};

use super::{Batch, FencingToken, LogChunk, OwnerId};
use crate::{Error, ErrorKind, Result};

/// A run without its log.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RunRecord {
    /// The run's id.
    pub id: RunId,
    /// The user who owns the run.
    pub user_id: UserId,
    /// The session of the run.
    pub session_id: SessionId,
    /// The name of the run's agent.
    pub agent: String,
    /// When the request arrived, in Unix seconds.
    pub created_at: i64,
    /// The request, checked and with its ids filled in.
    pub request: Arc<AgentRequest>,
    /// The options of the run. Stores keep all of them except the idempotency key, act on `session_policy` and
    /// `response_ttl`, and do not interpret the rest.
    pub options: RunOptions,
    /// `queued` while the run waits for its session, `in_progress` until the log has ended, then the final status.
    pub status: Status,
    /// The run's number, assigned by the store; later runs of the user have greater ones.
    pub number: u64,
    /// When the log ended, in Unix seconds.
    pub ended_at: Option<i64>,
    /// The number of entries in the log.
    pub entries: u64,
    /// The number of the first entry that is still kept: 0, or that of the last entry.
    pub first_entry: u64,
    /// For each takeover, the number of the first entry written from then on.
    pub epochs: Vec<u64>,
    /// Whether cancellation was requested.
    pub cancel_requested: bool,
    /// How the run will end, once its runner knows; the store does not interpret the text.
    pub ending: Option<String>,
    /// Which part of the stored record cannot be read, and why. That part then has its default value. The text is for the
    /// server's log.
    pub damage: Option<String>,
}

impl RunRecord {
    /// The record of a run that is about to be created.
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
            options: RunOptions::default(),
            status: Status::InProgress,
            number: 0,
            ended_at: None,
            entries: 0,
            first_entry: 0,
            epochs: Vec::new(),
            cancel_requested: false,
            ending: None,
            damage: None,
        }
    }

    /// Returns a part that was read. If it cannot be read, records the damage and returns the default.
    #[cfg(any(feature = "sqlite", feature = "redis"))]
    pub(crate) fn part<T: Default>(
        &mut self,
        name: &str,
        read: std::result::Result<T, impl std::fmt::Display>,
    ) -> T {
        read.unwrap_or_else(|error| {
            self.damage.get_or_insert_with(|| format!("{name}: {error}"));
            T::default()
        })
    }

    /// Rejects a request that could not be read again.
    pub(crate) fn check(&self, operation: &'static str) -> Result<()> {
        self.request.check().map_err(|fault| {
            Error::new(ErrorKind::InvalidInput, operation, format!("the request cannot be stored: {fault}"))
        })
    }

    /// Until when its last entry is kept at least, in Unix seconds, if the run has ended and its options say so.
    pub(crate) fn kept_until(&self) -> Option<i64> {
        let seconds = Some(self.options.response_ttl.as_secs()).filter(|seconds| *seconds > 0)?;
        Some(self.ended_at?.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    /// The number of the last entry of a log that has ended.
    pub(crate) fn last_entry(&self) -> Option<u64> {
        if self.ended_at.is_some() { self.entries.checked_sub(1) } else { None }
    }

    /// Until when the run is kept at least after its end, in Unix seconds, unless the ended runs exceed the store's size
    /// limit. `retention` is the store's.
    pub fn kept_at_least_until(&self, retention: Duration) -> Option<i64> {
        let time = retention.max(self.options.response_ttl);
        Some(self.ended_at?.saturating_add(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)))
    }

    /// Whether an entry that was read in one epoch is still the entry with that number. If the run was taken over before
    /// the entry was stored, there is now another entry with that number, or none.
    ///
    /// The first epoch is 1.
    pub fn has_entry_of_epoch(&self, number: u64, epoch: u64) -> bool {
        epoch_has_entry(&self.epochs, number, epoch)
    }
}

/// Whether an entry that was read in one epoch is still the entry with that number; see
/// [`RunRecord::has_entry_of_epoch`]. `epochs` are those of a record.
pub fn epoch_has_entry(epochs: &[u64], number: u64, epoch: u64) -> bool {
    let Ok(epoch) = usize::try_from(epoch) else { return false };
    let is_known = (1..=epochs.len() + 1).contains(&epoch);
    let starts_in_time = epoch < 2 || epochs.get(epoch - 2).is_some_and(|first| *first <= number);
    let later = epochs.get(epoch.saturating_sub(1)..).unwrap_or_default();
    is_known && starts_in_time && later.iter().all(|first| number < *first)
}

/// A run of a chain, in which each continues the next.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChainedRun {
    /// The record.
    pub record: RunRecord,
    /// The last entry of its log, if the run has ended.
    pub last: Option<Batch>,
}

impl ChainedRun {
    /// A run with what was read of its log from the last entry on.
    pub fn new(record: RunRecord, read: Option<LogChunk>) -> Self {
        let last = read.and_then(|chunk| chunk.batches.into_iter().next_back());
        let last = last.and_then(|batch| batch.starting_at(batch.end().saturating_sub(1)));
        ChainedRun { record, last }
    }
}

/// A run to be created.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewRun {
    /// The record. The store fills in its number, its status and everything about its log.
    pub record: RunRecord,
    /// The first entries of the log.
    pub first: Batch,
    /// The process that executes the run if it can start at once.
    pub owner: OwnerId,
    /// The maximum number of queued runs of one session.
    pub max_queued: usize,
    /// The maximum size of the requests of a session's queued runs, in bytes of JSON text. One run may wait whatever its
    /// size.
    pub queued_bytes: u64,
    /// The idempotency key, if any.
    pub key: Option<IdempotencyKey>,
}

impl NewRun {
    /// A run that is queued if its session has a run in progress, in a queue of at most 100 runs and 64 MiB.
    pub fn new(record: RunRecord, first: Batch, owner: OwnerId) -> Self {
        NewRun { record, first, owner, max_queued: 100, queued_bytes: 64 << 20, key: None }
    }

    /// The same with another session policy.
    #[must_use]
    pub fn with_policy(mut self, policy: SessionPolicy) -> Self {
        self.record.options.session_policy = policy;
        self
    }

    /// The same with another limit on the session's queue.
    #[must_use]
    pub fn with_max_queued(mut self, max_queued: usize) -> Self {
        self.max_queued = max_queued;
        self
    }

    /// The same with another limit on the size of the session's queue.
    #[must_use]
    pub fn with_queued_bytes(mut self, queued_bytes: u64) -> Self {
        self.queued_bytes = queued_bytes;
        self
    }

    /// Whether a queue has no room for it, given the number of its runs, the size of their requests, and the size of this
    /// one's.
    pub(crate) fn overfills(&self, runs: usize, bytes: u64, own: u64) -> bool {
        runs >= self.max_queued || runs > 0 && bytes.saturating_add(own) > self.queued_bytes
    }

    /// The same with an idempotency key.
    #[must_use]
    pub fn with_key(mut self, key: Option<IdempotencyKey>) -> Self {
        self.key = key;
        self
    }
}

/// The result of creating a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Created {
    /// The run has its session, and the owner may write its log.
    Started(FencingToken),
    /// The run is queued.
    Queued {
        /// How many runs must end before it.
        ahead: u64,
    },
    /// The input was handed to this run.
    Steered(RunId),
    /// An earlier, equal request with the same key created this run.
    Repeated(RunId),
    /// Not created: this run of the session is in progress.
    Busy(RunId),
    /// Not created: the session's queue is full.
    QueueFull,
    /// Not created: another request has used the idempotency key.
    KeyReused,
    /// Not created: the run with this idempotency key no longer exists.
    KeyUnknown,
}

/// The right to execute a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The run.
    pub id: RunId,
    /// The right to write its log.
    pub token: FencingToken,
}

/// The result of requesting cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Canceled {
    /// Its owner receives a signal.
    Requested,
    /// It was queued, and has ended as `canceled`.
    Dequeued,
    /// It had already ended, or its end is settled.
    Ended,
}

/// A filter for listing runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunFilter {
    /// Only runs of this session.
    pub session: Option<SessionId>,
    /// Only runs with this status.
    pub status: Option<Status>,
}

impl RunFilter {
    /// Whether a run matches the filter.
    pub fn matches(&self, record: &RunRecord) -> bool {
        self.session.as_ref().is_none_or(|session| *session == record.session_id)
            && self.status.as_ref().is_none_or(|status| *status == record.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry__old_epoch__counts_until_the_next_begins() {
        let request = Arc::new(AgentRequest::new(Vec::new()));
        let (id, user, session) = (RunId::new("run_1"), UserId::new("u"), SessionId::new("s"));
        let mut record = RunRecord::new(id, user, session, "agent", 0, request);
        assert!(record.has_entry_of_epoch(7, 1) && !record.has_entry_of_epoch(7, 2));
        record.epochs = vec![5, 9];
        let good = [(4, 1), (5, 2), (8, 2), (9, 3), (100, 3)];
        let bad = [(5, 1), (9, 1), (4, 2), (9, 2), (8, 3), (9, 4), (0, 0)];
        assert!(good.iter().all(|(number, epoch)| record.has_entry_of_epoch(*number, *epoch)));
        assert!(!bad.iter().any(|(number, epoch)| record.has_entry_of_epoch(*number, *epoch)));
    }
}
