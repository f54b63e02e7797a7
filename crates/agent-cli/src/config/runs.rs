//! The `[runs]` section: the limits of runs, and their default options.

use std::time::Duration;

use agent_runner::{Durability, OnDisconnect, RunLimits, RunOptions, SessionPolicy};
use serde::{Deserialize, Serialize};

/// The limits of runs, and their default options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RunsConfig {
    /// How many runs may be in progress at once.
    pub(crate) max_runs: usize,
    /// How many more runs may wait when `max_runs` is reached. Further requests get 429.
    pub(crate) max_waiting: usize,
    /// How many runs may wait for one session. Further requests get 429.
    pub(crate) max_queued: usize,
    /// How many bytes of requests may wait for one session. One request may wait whatever its size; further ones
    /// get 429.
    pub(crate) queued_bytes: u64,
    /// How many child runs may be in progress below one run, children of children included.
    pub(crate) max_children: usize,
    /// How long ended runs are kept, in seconds. The default is a day, or ten minutes in memory.
    pub(crate) retention_seconds: Option<u64>,
    /// How many bytes the logs of all ended runs may use. The default is 1 GiB, or 256 MiB in memory.
    pub(crate) retention_bytes: Option<u64>,
    /// How long a session that no request has named is kept after its last message, in seconds. The default is
    /// `retention_seconds`.
    pub(crate) anonymous_session_seconds: Option<u64>,
    /// How long responses that a client asked to store are kept, in seconds, if longer than logs.
    pub(crate) response_seconds: u64,
    /// How long a server that stopped responding keeps its runs before another server takes them over, in seconds.
    pub(crate) lease_seconds: u64,
    /// What happens to a run whose session already has a run in progress.
    pub(crate) session_policy: SessionPolicy,
    /// When clients see an agent's output: after it is stored, or at once.
    pub(crate) durability: Durability,
    /// The maximum duration of a run, in seconds.
    pub(crate) run_time_seconds: u64,
    /// The maximum size of a run's log, in bytes.
    pub(crate) log_bytes: usize,
    /// The maximum memory of the requests and messages of all runs in progress, in bytes; with an in-memory
    /// store, also of their logs. Further requests get 503, and a run that needs more fails.
    pub(crate) memory_bytes: usize,
    /// The maximum output of all runs that is not stored yet, in bytes. Beyond it, agents wait for the store.
    pub(crate) unstored_bytes: usize,
    /// How long a cancelled agent may continue before it is dropped, in seconds.
    pub(crate) cancel_grace_seconds: u64,
    /// What happens to a run whose client disconnects.
    pub(crate) on_disconnect: OnDisconnect,
    /// How long a client may be disconnected before its run is cancelled, in seconds.
    pub(crate) disconnect_grace_seconds: u64,
}

impl Default for RunsConfig {
    fn default() -> Self {
        let limits = RunLimits::default();
        RunsConfig {
            max_runs: limits.max_runs,
            max_waiting: limits.max_waiting,
            max_queued: limits.max_queued,
            queued_bytes: limits.queued_bytes,
            max_children: limits.max_children,
            retention_seconds: None,
            retention_bytes: None,
            anonymous_session_seconds: None,
            response_seconds: 30 * 24 * 60 * 60,
            lease_seconds: limits.lease.as_secs(),
            session_policy: SessionPolicy::Enqueue,
            durability: Durability::Strict,
            run_time_seconds: limits.run_time.as_secs(),
            log_bytes: limits.log_bytes,
            memory_bytes: limits.memory_bytes,
            unstored_bytes: limits.unstored_bytes,
            cancel_grace_seconds: limits.cancel_grace.as_secs(),
            on_disconnect: OnDisconnect::Cancel,
            disconnect_grace_seconds: 60,
        }
    }
}

impl RunsConfig {
    /// The limits for the runner.
    pub(crate) fn limits(&self) -> RunLimits {
        let mut limits = RunLimits::default();
        limits.max_runs = self.max_runs;
        limits.max_waiting = self.max_waiting;
        limits.max_queued = self.max_queued;
        limits.queued_bytes = self.queued_bytes;
        limits.max_children = self.max_children;
        limits.lease = Duration::from_secs(self.lease_seconds);
        limits.run_time = Duration::from_secs(self.run_time_seconds);
        limits.log_bytes = self.log_bytes;
        limits.memory_bytes = self.memory_bytes;
        limits.unstored_bytes = self.unstored_bytes;
        limits.cancel_grace = Duration::from_secs(self.cancel_grace_seconds);
        limits
    }

    /// The default options of runs.
    pub(crate) fn options(&self) -> RunOptions {
        RunOptions::default()
            .with_cancel_after(Duration::from_secs(self.disconnect_grace_seconds))
            .with_on_disconnect(self.on_disconnect)
            .with_session_policy(self.session_policy)
            .with_durability(self.durability)
    }
}
