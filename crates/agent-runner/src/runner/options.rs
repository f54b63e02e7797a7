//! What runs may use, how one is to be treated, and why one is not started.

use std::time::Duration;

use agent_schemas::{Error, RunId};
use agent_services::run::{IdempotencyKey, SessionPolicy};
use serde::{Deserialize, Serialize};

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
    /// How long a cancelled agent may go on before it is dropped.
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

/// When readers see what an agent writes. Whichever it is, a run's beginning and its end are stored before they are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once it is stored: what somebody saw is still there when the process died.
    #[default]
    Strict,
    /// At once; it is stored a tenth of a second later. When the process dies in between, the run goes on in a new epoch,
    /// and a reader who saw more than was stored is told so when it reads on.
    Relaxed,
}

/// What becomes of a run that nobody reads any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnDisconnect {
    /// It is cancelled, unless somebody reads it again within the grace period.
    Cancel {
        /// How long to wait.
        grace: Duration,
    },
    /// It goes on to its end.
    Continue,
}

impl Default for OnDisconnect {
    /// Cancelled at once.
    fn default() -> Self {
        OnDisconnect::Cancel { grace: Duration::ZERO }
    }
}

/// How one run is to be treated.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StartOptions {
    /// What becomes of it when nobody reads it any more.
    pub on_disconnect: OnDisconnect,
    /// What becomes of it when its session has a run under way already.
    pub session_policy: SessionPolicy,
    /// Makes repeated requests of one user one run.
    pub key: Option<IdempotencyKey>,
    /// Whether what is said is left out of the session's history: for a request that brings all of its context itself.
    pub without_history: bool,
    /// For how long after its end its final response is kept, where that is longer than logs are. Whole seconds count.
    pub kept_for: Duration,
}

/// What a run's record keeps of its options, for whoever goes on with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptOptions {
    pub(crate) on_disconnect: OnDisconnect,
    pub(crate) without_history: bool,
}

impl KeptOptions {
    /// Where they cannot be read, the run goes on, and its session hears of it.
    pub(crate) fn of(text: &str) -> Self {
        let careful = KeptOptions { on_disconnect: OnDisconnect::Continue, without_history: false };
        serde_json::from_str(text).unwrap_or(careful)
    }
}

impl From<&StartOptions> for KeptOptions {
    fn from(options: &StartOptions) -> Self {
        KeptOptions { on_disconnect: options.on_disconnect, without_history: options.without_history }
    }
}

impl StartOptions {
    /// Sets what becomes of the run when nobody reads it any more.
    #[must_use]
    pub fn with_on_disconnect(mut self, on_disconnect: OnDisconnect) -> Self {
        self.on_disconnect = on_disconnect;
        self
    }

    /// Sets what becomes of the run when its session has one under way already.
    #[must_use]
    pub fn with_session_policy(mut self, policy: SessionPolicy) -> Self {
        self.session_policy = policy;
        self
    }

    /// Leaves what is said out of the session's history.
    #[must_use]
    pub fn without_history(mut self) -> Self {
        self.without_history = true;
        self
    }

    /// Keeps the run's final response for so long after its end, even where its log is kept for a shorter time.
    #[must_use]
    pub fn with_kept_for(mut self, time: Duration) -> Self {
        self.kept_for = time;
        self
    }

    /// Makes repeated requests of one user with this key one run.
    #[must_use]
    pub fn with_key(mut self, key: IdempotencyKey) -> Self {
        self.key = Some(key);
        self
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
}
