//! Child runs: an agent lets another agent work for it.

use std::fmt;

use agent_schemas::{AgentResponse, Error, ErrorBody, Event, Message, RunId, SessionId, Status};
use async_trait::async_trait;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::cursor::{Cursor, CursorError};
use crate::live::LiveRun;

/// What a child run does, and for which agent.
///
/// By default, a child has its own session, which is not kept.
#[derive(Clone, Debug)]
pub struct ChildSpec {
    pub(crate) agent: String,
    pub(crate) input: Vec<Message>,
    pub(crate) session: ChildSession,
}

/// Which conversation a child run belongs to.
#[derive(Clone, Debug, Default)]
pub(crate) enum ChildSession {
    /// A new one, which is not kept.
    #[default]
    New,
    /// This one, with its history.
    Named(SessionId),
    /// The parent's, as it was before the parent began.
    OfParent,
}

impl ChildSpec {
    /// A run of the agent that is served under this name, with this text of the user as its input.
    pub fn new(agent: impl Into<String>, text: impl Into<String>) -> Self {
        ChildSpec::with_input(agent, vec![Message::user(text)])
    }

    /// A run of the agent that is served under this name, with these messages as its input.
    pub fn with_input(agent: impl Into<String>, input: Vec<Message>) -> Self {
        ChildSpec { agent: agent.into(), input, session: ChildSession::default() }
    }

    /// Continues a conversation of the parent's user: the child reads its history and adds to it. If that session has a
    /// run in progress, the child is refused; it never waits.
    #[must_use]
    pub fn in_session(mut self, session: SessionId) -> Self {
        self.session = ChildSession::Named(session);
        self
    }

    /// Lets the child read the parent's conversation, without the parent's own run. The child adds nothing to it.
    #[must_use]
    pub fn in_parent_session(mut self) -> Self {
        self.session = ChildSession::OfParent;
        self
    }
}

/// Why a child run was not started, or has no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// No agent is served under this name.
    #[error("no agent is named '{0}'")]
    UnknownAgent(String),
    /// The run and its relatives have reached their limit of child runs in progress.
    #[error("{limit} child runs are already in progress; wait for one, or raise runs.max_children")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The child's session has a run in progress.
    #[error("the child's session has a run in progress: {0}")]
    Busy(RunId),
    /// The parent has ended or is cancelled, or there is none, as in a test of a tool.
    #[error("only a run in progress can start a child run")]
    NoParent,
    /// The server has reached a limit.
    #[error(transparent)]
    Refused(Error),
    /// The child could not be stored.
    #[error("the child run could not be stored")]
    Store(#[from] agent_services::Error),
    /// The child's log could not be read to its end.
    #[error("the child run could not be read to its end")]
    Read(#[from] CursorError),
    /// The child failed, was cancelled, or is incomplete.
    #[error("the child run {id} is {status}{}", .error.as_ref().map(|error| format!(": {}", error.message)).unwrap_or_default())]
    NotCompleted {
        /// The child.
        id: RunId,
        /// How it ended.
        status: Status,
        /// Why, if it failed.
        error: Option<Box<ErrorBody>>,
    },
}

/// Starts child runs: a run's view of its runner.
#[async_trait]
pub(crate) trait StartChild: Send + Sync {
    async fn start_child(&self, parent: &LiveRun, spec: ChildSpec) -> Result<ChildRun, ChildError>;
}

/// A run that another run has started, and waits for.
///
/// Dropping it cancels the child, unless it has ended. So does the end or the cancellation of its parent.
pub struct ChildRun {
    id: RunId,
    agent: String,
    cursor: Cursor,
    /// Cancelled once the child has been read to its end, so that it is not stopped afterwards.
    ended: CancellationToken,
    _stop: DropGuard,
}

impl ChildRun {
    /// A child that is stopped by `stop`, until `ended` is cancelled.
    pub(crate) fn new(
        id: RunId,
        agent: String,
        cursor: Cursor,
        ended: CancellationToken,
        stop: CancellationToken,
    ) -> Self {
        ChildRun { id, agent, cursor, ended, _stop: stop.drop_guard() }
    }

    /// The child's id.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The name of its agent.
    pub fn agent_name(&self) -> &str {
        &self.agent
    }

    /// The child's next events; `None` at the end of its log.
    ///
    /// # Errors
    /// [`ChildError::Read`]; the log is at its end then.
    ///
    /// # Cancellation
    /// Safe: dropping the future loses nothing.
    pub async fn next_events(&mut self) -> Option<Result<Vec<Event>, ChildError>> {
        let events = self.cursor.next_events().await;
        if events.is_none() {
            self.ended.cancel();
        }
        events.map(|events| events.map_err(ChildError::from))
    }

    /// Waits for the child's end.
    ///
    /// # Errors
    /// [`ChildError::NotCompleted`] if the child did not complete, [`ChildError::Read`] if its log cannot be read.
    ///
    /// # Cancellation
    /// Dropping the future cancels the child.
    pub async fn response(mut self) -> Result<AgentResponse, ChildError> {
        self.read_to_end(|_| ()).await
    }

    /// Waits for the child's end, and calls `see` with each of its events.
    pub(crate) async fn read_to_end(
        &mut self,
        mut see: impl FnMut(&Event),
    ) -> Result<AgentResponse, ChildError> {
        let mut last = None;
        while let Some(events) = self.next_events().await {
            let mut events = events?;
            events.iter().for_each(&mut see);
            last = events.pop().or(last);
        }
        let Some(Event::Response(response)) = last else { return Err(CursorError::Lost.into()) };
        if response.status == Status::Completed {
            return Ok(response);
        }
        let error = response.error.map(Box::new);
        Err(ChildError::NotCompleted { id: self.id.clone(), status: response.status, error })
    }
}

impl fmt::Debug for ChildRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildRun").field("id", &self.id).field("agent", &self.agent).finish_non_exhaustive()
    }
}
