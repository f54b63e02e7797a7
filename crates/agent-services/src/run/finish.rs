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
}

impl FinishRun {
    /// An end without a history that hands the session to no process.
    pub fn new(id: RunId, token: FencingToken, batch: Batch, status: Status) -> Self {
        FinishRun { id, token, batch, status, next: None, history: None }
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
}

/// The result of ending a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished {
    /// The right to execute the next run of the session.
    pub granted: Option<Grant>,
    /// The result for the history: an error if the session rejected it. `Ok` if there was none.
    pub history: crate::Result<()>,
}

impl Finished {
    /// The result for a run whose history was stored, or that had none.
    pub fn new(granted: Option<Grant>) -> Self {
        Finished { granted, history: Ok(()) }
    }

    /// The same with another result for the history.
    #[must_use]
    pub fn with_history(mut self, history: crate::Result<()>) -> Self {
        self.history = history;
        self
    }
}
