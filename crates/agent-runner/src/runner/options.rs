//! The limits of runs, and why a run is not started.

use std::time::Duration;

use agent_schemas::{Error, RunId};

/// The limits of runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunLimits {
    /// The maximum number of concurrent runs.
    pub max_runs: usize,
    /// How many more runs may wait for one of these to end.
    pub max_waiting: usize,
    /// How many runs may wait for one session.
    pub max_queued: usize,
    /// The maximum duration of a run.
    pub run_time: Duration,
    /// The maximum size of an agent's output in a run's log, in bytes.
    pub log_bytes: usize,
    /// How long a cancelled agent may keep running before it is dropped.
    pub cancel_grace: Duration,
    /// How long the runs of a dead process keep their sessions before another process takes them over.
    pub lease: Duration,
}

impl Default for RunLimits {
    /// 10,000 runs, 1,000 waiting, 16 waiting for one session, an hour, 64 MiB, five seconds, a lease of 15 seconds.
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
    /// The session has a run in progress, and the request asks not to wait for it.
    #[error("run {0} of this session is still in progress")]
    Busy(RunId),
    /// The session's queue is full.
    #[error("the session's queue is full ({limit} runs)")]
    QueueFull {
        /// The maximum number of waiting runs.
        limit: usize,
    },
    /// Another request has used the idempotency key.
    #[error("the idempotency key belongs to another request")]
    KeyReused,
    /// The run of this idempotency key is no longer kept.
    #[error("the run of this idempotency key is no longer kept")]
    KeyUnknown,
    /// The store could not record the run.
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
