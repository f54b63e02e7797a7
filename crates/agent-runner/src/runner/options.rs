//! What runs may use, and why one is not started.

use std::time::Duration;

use agent_schemas::{Error, RunId};

/// What a run may use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunLimits {
    /// How many runs may be under way at once.
    pub max_runs: usize,
    /// How many more may wait until one of these has ended.
    pub max_waiting: usize,
    /// How many may wait for one session.
    pub max_queued: usize,
    /// How long a run may take.
    pub run_time: Duration,
    /// How many bytes an agent may write into a run's log.
    pub log_bytes: usize,
    /// How long a cancelled agent may continue before it is dropped.
    pub cancel_grace: Duration,
    /// How long the runs of a process that is gone keep their sessions before another one takes them over.
    pub lease: Duration,
}

impl Default for RunLimits {
    /// 10,000 runs and 1,000 that wait, 16 that wait for one session, an hour, 64 MiB, five seconds, a lease of 15 seconds.
    fn default() -> Self {
        RunLimits {
            max_runs: 10_000,
            max_waiting: 1_000,
            max_queued: 16,
            run_time: Duration::from_secs(3600),
            log_bytes: 64 * 1024 * 1024,
            cancel_grace: Duration::from_secs(5),
            lease: Duration::from_secs(15),
        }
    }
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The limit of concurrent runs is reached, or the runner is closing.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The session has a run under way, and the request does not want to wait.
    #[error("run {0} of this session is still in progress")]
    Busy(RunId),
    /// Too many wait for the session already.
    #[error("the session's queue is full ({limit} runs)")]
    QueueFull {
        /// How many that are.
        limit: usize,
    },
    /// Another request was made with the same idempotency key.
    #[error("the idempotency key belongs to another request")]
    KeyReused,
    /// The run that was made with the idempotency key is gone.
    #[error("the run of this idempotency key is no longer kept")]
    KeyUnknown,
    /// The run could not be recorded.
    #[error("could not record the run")]
    Store(#[from] agent_services::Error),
}

/// Why a runner cannot be built.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no agent to run.
    #[error("a runner needs at least one agent")]
    NoAgent,
    /// Two agents have the same name.
    #[error("two agents are named '{0}'")]
    DuplicateName(String),
}
