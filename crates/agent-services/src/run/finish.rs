//! How a run ends, and the result of ending it.

use agent_schemas::{RunId, Status};

use super::{Batch, FencingToken, Grant, OwnerId};
use crate::session::MessageBatch;

/// The end of a run, as [`RunStore::finish`](super::RunStore::finish) writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FinishRun {
    /// The run.
    pub id: RunId,
    /// The right to write the run's log.
    pub token: FencingToken,
    /// The last entries of the run's log.
    pub batch: Batch,
    /// The final status.
    pub status: Status,
    /// The process that executes the next run of the session; without one, that run keeps waiting.
    pub next: Option<OwnerId>,
    /// What is appended to the run's session in the same step, for sessions of the same
    /// [`database`](crate::Service::database).
    pub history: Option<MessageBatch>,
    /// Whether the caller knows of a request to stop, if there is one. Otherwise, the end is rejected as
    /// [`Canceled`](crate::ErrorKind::Canceled).
    pub cancel_seen: bool,
}

impl FinishRun {
    /// An end without a history that hands the session to no process.
    pub fn new(id: RunId, token: FencingToken, batch: Batch, status: Status) -> Self {
        FinishRun { id, token, batch, status, next: None, history: None, cancel_seen: false }
    }

    /// The same with a process that executes the next run of the session.
    #[must_use]
    pub fn with_next(mut self, next: Option<OwnerId>) -> Self {
        self.next = next;
        self
    }

    /// The same with messages for the run's session.
    #[must_use]
    pub fn with_history(mut self, history: Option<MessageBatch>) -> Self {
        self.history = history;
        self
    }

    /// The same with whether the caller knows of a request to stop.
    #[must_use]
    pub fn with_cancel_seen(mut self, cancel_seen: bool) -> Self {
        self.cancel_seen = cancel_seen;
        self
    }
}

/// The result of ending a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished {
    /// The right to execute the next run of the session.
    pub granted: Option<Grant>,
}

impl Finished {
    /// The end of a run that hands its session to this one.
    pub fn new(granted: Option<Grant>) -> Self {
        Finished { granted }
    }
}
