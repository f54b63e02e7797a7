//! What is known of runs besides their logs, and how they are made.

use std::fmt;
use std::sync::Arc;

use agent_schemas::{
    AgentRequest, IdempotencyKey, RunId, RunOptions, SessionId, SessionPolicy, Status, UserId,
};

use super::{Batch, FencingToken, OwnerId};
use crate::{Error, ErrorKind, Result};

/// What is known of a run besides its log.
#[derive(Clone, Debug, PartialEq)]
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
    /// How it is treated. Stores keep all of it but the idempotency key, act on `session_policy` and `response_ttl`, and do
    /// not look into the rest.
    pub options: RunOptions,
    /// `queued` while it waits for its session, `in_progress` until the log has ended, then how it ended.
    pub status: Status,
    /// Its place among the runs of its user: a later one has a greater number. The store gives it.
    pub number: u64,
    /// When the log ended, in Unix seconds.
    pub ended_at: Option<i64>,
    /// How many entries the log has.
    pub entries: u64,
    /// The first of them that is still kept: 0, or the last one's number.
    pub first_entry: u64,
    /// For each time that it was taken over, the number of the first entry that was written from then on.
    pub epochs: Vec<u64>,
    /// Whether it was asked to stop.
    pub cancel_requested: bool,
    /// How it is going to end, once its runner knows; the store keeps the text and does not look into it.
    pub ending: Option<String>,
    /// Which part of the stored record cannot be read, and why. That part then has its default value. The text is for the
    /// server's log.
    pub damage: Option<String>,
}

impl RunRecord {
    /// The record of a run that is about to be made.
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

    /// Takes a part as it was read. One that cannot be read is noted, and is the default.
    pub(crate) fn part<T: Default>(
        &mut self,
        name: &str,
        read: std::result::Result<T, impl fmt::Display>,
    ) -> T {
        read.unwrap_or_else(|error| {
            self.damage.get_or_insert_with(|| format!("{name}: {error}"));
            T::default()
        })
    }

    /// Refuses a request that could not be read again.
    pub(crate) fn check(&self, operation: &'static str) -> Result<()> {
        self.request.check().map_err(|fault| {
            Error::new(ErrorKind::InvalidInput, operation, format!("the request cannot be stored: {fault}"))
        })
    }

    /// Until when its last entry is kept at least, in Unix seconds, if it has ended and asks for it.
    pub(crate) fn kept_until(&self) -> Option<i64> {
        let seconds = Some(self.options.response_ttl.as_secs()).filter(|seconds| *seconds > 0)?;
        Some(self.ended_at?.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    /// Whether an entry that was read in one epoch is still the entry of that number. Where the log was taken over before
    /// the entry had been stored, it is another one now, or there is none.
    ///
    /// The first epoch is 1.
    pub fn has_entry_of_epoch(&self, number: u64, epoch: u64) -> bool {
        epoch_has_entry(&self.epochs, number, epoch)
    }
}

/// Whether an entry that was read in one epoch is still the entry of that number; see
/// [`RunRecord::has_entry_of_epoch`]. `epochs` are a record's.
pub fn epoch_has_entry(epochs: &[u64], number: u64, epoch: u64) -> bool {
    let Ok(epoch) = usize::try_from(epoch) else { return false };
    let is_known = (1..=epochs.len() + 1).contains(&epoch);
    let starts_in_time = epoch < 2 || epochs.get(epoch - 2).is_some_and(|first| *first <= number);
    let later = epochs.get(epoch.saturating_sub(1)..).unwrap_or_default();
    is_known && starts_in_time && later.iter().all(|first| number < *first)
}

/// A run that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewRun {
    /// The record. Its number, status and all that tells of a log are the store's to fill in.
    pub record: RunRecord,
    /// The first entries of its log.
    pub first: Batch,
    /// Who executes it if it can start at once.
    pub owner: OwnerId,
    /// How many may wait for one session.
    pub max_queued: usize,
    /// Makes repeated requests one.
    pub key: Option<IdempotencyKey>,
}

impl NewRun {
    /// A run that waits for its session, behind at most 16 others.
    pub fn new(record: RunRecord, first: Batch, owner: OwnerId) -> Self {
        NewRun { record, first, owner, max_queued: 16, key: None }
    }

    /// The same with another session policy.
    #[must_use]
    pub fn with_policy(mut self, policy: SessionPolicy) -> Self {
        self.record.options.session_policy = policy;
        self
    }

    /// The same with another length of the queue.
    #[must_use]
    pub fn with_max_queued(mut self, max_queued: usize) -> Self {
        self.max_queued = max_queued;
        self
    }

    /// The same with an idempotency key.
    #[must_use]
    pub fn with_key(mut self, key: Option<IdempotencyKey>) -> Self {
        self.key = key;
        self
    }
}

/// What became of a run that was to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Created {
    /// It has its session, and the owner may write its log.
    Started(FencingToken),
    /// It waits.
    Queued {
        /// How many are to end before it.
        ahead: u64,
    },
    /// Its input was handed to this run.
    Steered(RunId),
    /// The same request made this run before.
    Repeated(RunId),
    /// It was not made: this run is under way in its session.
    Busy(RunId),
    /// It was not made: too many wait already.
    QueueFull,
    /// It was not made: another request has used its idempotency key.
    KeyReused,
    /// It was not made: the run that was made with its idempotency key is gone.
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

/// What became of the wish to cancel a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Canceled {
    /// Its owner receives a signal.
    Requested,
    /// It waited, and has ended as `canceled`.
    Dequeued,
    /// It has ended before.
    Ended,
}

/// Which runs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunFilter {
    /// Those of this session only.
    pub session: Option<SessionId>,
    /// Those with this status only.
    pub status: Option<Status>,
}

impl RunFilter {
    /// Whether a run is among them.
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
