//! How a run ends, and what its end answers.

use agent_schemas::{RunId, Status};

use super::{Batch, FencingToken, Grant, OwnerId};
use crate::session::MessageBatch;

/// The end of a run, as [`RunStore::finish`](super::RunStore::finish) writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FinishRun {
    /// The run.
    pub id: RunId,
    /// The right to write its log.
    pub token: FencingToken,
    /// The last entries of its log.
    pub batch: Batch,
    /// How it ended.
    pub status: Status,
    /// Who executes the next run of the session; without one, that run keeps waiting.
    pub next: Option<OwnerId>,
    /// What is appended to the run's session in the same step, for sessions of the same
    /// [`database`](crate::Service::database).
    pub history: Option<MessageBatch>,
}

impl FinishRun {
    /// An end that leaves nothing in the session and hands it to nobody.
    pub fn new(id: RunId, token: FencingToken, batch: Batch, status: Status) -> Self {
        FinishRun { id, token, batch, status, next: None, history: None }
    }

    /// The same with somebody who executes the next run of the session.
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

/// What the end of a run did.
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
