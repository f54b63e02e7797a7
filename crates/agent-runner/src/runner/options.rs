//! The limits of runs, and why a run is not started.

use std::time::Duration;

use agent_schemas::{Error, RunId};

/// The limits of runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunLimits {
    /// The maximum number of concurrent runs.
    pub max_runs: usize,
    /// How many more runs may wait when `max_runs` is reached.
    pub max_waiting: usize,
    /// How many runs may wait for one session.
    pub max_queued: usize,
    /// The maximum size of the requests that wait for one session, in bytes of JSON text. One request may wait whatever
    /// its size.
    pub queued_bytes: u64,
    /// How many child runs may be in progress below one run, children of children included.
    pub max_children: usize,
    /// How long a run may take.
    pub run_time: Duration,
    /// How large a run's log may grow while its agent works, in bytes: its events as readers receive them. A text
    /// counts in each event that repeats it, so an answer takes about three times its length. The events that end the
    /// log are not counted.
    pub log_bytes: usize,
    /// The maximum memory of the requests of all runs in progress here, and of the messages that they have
    /// written, in bytes; with an in-memory store, also of their logs.
    pub memory_bytes: usize,
    /// The maximum output of all runs here that is not stored yet, in bytes. Beyond it, agents wait.
    pub unstored_bytes: usize,
    /// How long a cancelled agent may continue before it is dropped.
    pub cancel_grace: Duration,
    /// How long the runs of a dead process keep their sessions before another process takes them over.
    pub lease: Duration,
}

impl Default for RunLimits {
    /// 10,000 runs, 1,000 waiting runs, 100 queued runs and 64 MiB per session, 32 children, one hour and 64 MiB per
    /// run, 192 MiB of memory and 64 MiB of unstored output for all runs, five seconds of grace, and a lease of 15
    /// seconds.
    fn default() -> Self {
        RunLimits {
            max_runs: 10_000,
            max_waiting: 1_000,
            max_queued: 100,
            queued_bytes: 64 << 20,
            max_children: 32,
            run_time: Duration::from_secs(3600),
            log_bytes: 64 * 1024 * 1024,
            memory_bytes: 192 * 1024 * 1024,
            unstored_bytes: 64 * 1024 * 1024,
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
    /// The request names none of several agents, and there is no default agent for such requests.
    #[error("there is no agent '{name}'; the agents are {known}")]
    UnknownAgent {
        /// The name.
        name: String,
        /// The names of the agents.
        known: String,
    },
    /// The session has a run in progress, and the request does not want to wait.
    #[error("the session has a run in progress: {0}")]
    Busy(RunId),
    /// The session's queue is full.
    #[error("the session's queue is full (the limits are {runs} runs and {bytes} bytes)")]
    QueueFull {
        /// The maximum number of waiting runs.
        runs: usize,
        /// The maximum size of their requests, in bytes.
        bytes: u64,
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
    /// The default agent is not one of the agents.
    #[error("the default agent '{0}' is not one of the agents")]
    UnknownDefault(String),
}
