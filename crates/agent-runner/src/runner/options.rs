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
    /// How many child runs may be in progress below one run, children of children included.
    pub max_children: usize,
    /// How long a run may take.
    pub run_time: Duration,
    /// How large a run's log may grow while its agent works, in bytes: its events as readers receive them. A text counts in
    /// each event that has it, so an answer takes about three times its length. The events that end the log come on top.
    pub log_bytes: usize,
    /// How many bytes the requests of all runs in progress here, and the messages that they have written, may take in memory;
    /// with a store in memory also their logs.
    pub memory_bytes: usize,
    /// How many bytes all runs here may have written that the store does not have yet. Beyond, agents wait.
    pub unstored_bytes: usize,
    /// How long a cancelled agent may continue before it is dropped.
    pub cancel_grace: Duration,
    /// How long the runs of a process that is gone keep their sessions before another one takes them over.
    pub lease: Duration,
}

impl Default for RunLimits {
    /// 10,000 runs and 1,000 that wait, 16 that wait for one session, 32 children, an hour, 64 MiB a run, 1 GiB and 64 MiB
    /// for all, five seconds, a lease of 15 seconds.
    fn default() -> Self {
        RunLimits {
            max_runs: 10_000,
            max_waiting: 1_000,
            max_queued: 16,
            max_children: 32,
            run_time: Duration::from_secs(3600),
            log_bytes: 64 * 1024 * 1024,
            memory_bytes: 1024 * 1024 * 1024,
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
    /// The request names none of several agents, and there is no default one for such requests.
    #[error("there is no agent '{name}'; the agents are {known}")]
    UnknownAgent {
        /// The name.
        name: String,
        /// The names of the agents.
        known: String,
    },
    /// The session has a run under way, and the request does not want to wait.
    #[error("the session has a run under way: {0}")]
    Busy(RunId),
    /// Too many wait for the session already.
    #[error("as many runs as may wait for the session do so already: {limit}")]
    QueueFull {
        /// How many that are.
        limit: usize,
    },
    /// Another request was made with the same idempotency key.
    #[error("another request was made with this idempotency key")]
    KeyReused,
    /// The run that was made with the idempotency key is gone.
    #[error("the run that was made with this idempotency key is not there any more")]
    KeyUnknown,
    /// The run could not be recorded.
    #[error("the run could not be recorded")]
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
    /// No agent has the name of the default one.
    #[error("the default agent '{0}' is not one of the agents")]
    UnknownDefault(String),
}
