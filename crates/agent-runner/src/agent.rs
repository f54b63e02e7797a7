//! The trait that agents implement.

mod error;
mod info;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::RunHandle;

pub use error::AgentError;
pub(crate) use error::Effect;
pub use info::{AgentInfo, Described, described};

/// Something that answers requests.
///
/// ```
/// use agent_runner::{Agent, AgentError, RunHandle};
///
/// #[derive(Debug)]
/// struct Greeter;
///
/// #[async_trait::async_trait]
/// impl Agent for Greeter {
///     async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
///         run.say("Hello!");
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Agent: fmt::Debug + Send + Sync + 'static {
    /// Answers one request by writing to `run`.
    ///
    /// Anything left open on return is closed: as completed if the result is `Ok`, as failed otherwise. A panic is a
    /// failure too.
    ///
    /// # Cancellation
    /// When a run is cancelled, [`RunHandle::cancelled`] resolves. An agent that continues anyway is dropped at its
    /// next await after the grace period, and its later output is discarded.
    ///
    /// # Errors
    /// Any error ends the run as failed. An [`agent_schemas::Error`] chooses the code and the text that the client sees.
    /// Of every other error, and of a panic, the client sees the code `AGENT_UNKNOWN_ERROR` and the run's id; the server's
    /// log has its type and its text.
    async fn run(&self, run: RunHandle) -> Result<(), AgentError>;

    /// How a run can be recovered if its process died while the agent worked on it. By default, the run ends as
    /// `incomplete`.
    fn recovery(&self) -> Recovery {
        Recovery::GiveUp
    }

    /// Whether the agent does what its input says, so that it can be asked for a summary of a conversation. By default,
    /// it cannot.
    fn summarizes(&self) -> bool {
        false
    }

    /// What the agent tells its callers about itself; by default, nothing.
    fn info(&self) -> AgentInfo {
        AgentInfo::default()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<A: Agent + ?Sized> Agent for Arc<A> {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        (**self).run(run).await
    }

    fn recovery(&self) -> Recovery {
        (**self).recovery()
    }

    fn summarizes(&self) -> bool {
        (**self).summarizes()
    }

    fn info(&self) -> AgentInfo {
        (**self).info()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<A: Agent + ?Sized> Agent for Box<A> {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        (**self).run(run).await
    }

    fn recovery(&self) -> Recovery {
        (**self).recovery()
    }

    fn summarizes(&self) -> bool {
        (**self).summarizes()
    }

    fn info(&self) -> AgentInfo {
        (**self).info()
    }
}

/// How a run is recovered after its process died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The run is not continued; it ends as `incomplete`.
    GiveUp,
    /// The agent starts again, unless a message was already complete.
    StartOver,
    /// The agent continues after the complete messages, which [`RunHandle::earlier`] returns.
    Continue,
}

impl Recovery {
    /// Whether an interrupted run may be continued; `has_whole` says whether a message is complete.
    pub(crate) fn allows(self, has_whole: bool) -> bool {
        match self {
            Recovery::Continue => true,
            Recovery::StartOver => !has_whole,
            Recovery::GiveUp => false,
        }
    }
}

/// An agent built from an async closure; see [`agent_fn`].
pub struct AgentFn<F>(F);

/// Creates an agent from an async closure.
///
/// ```
/// use agent_runner::{RunHandle, agent_fn};
///
/// let agent = agent_fn(|run: RunHandle| async move {
///     run.say("Hello!");
///     Ok(())
/// });
/// ```
pub fn agent_fn<F, Fut>(function: F) -> AgentFn<F>
where
    F: Fn(RunHandle) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), AgentError>> + Send + 'static,
{
    AgentFn(function)
}

impl<F> fmt::Debug for AgentFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentFn")
    }
}

#[async_trait]
impl<F, Fut> Agent for AgentFn<F>
where
    F: Fn(RunHandle) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), AgentError>> + Send + 'static,
{
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        (self.0)(run).await
    }
}
