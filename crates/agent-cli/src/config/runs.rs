//! The `[runs]` section: what runs may use, and how they are treated.

use std::time::Duration;

use agent_runner::{Durability, OnDisconnect, RunLimits, RunOptions, SessionPolicy};
use serde::{Deserialize, Serialize};

/// What runs may use, and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RunsConfig {
    /// How many runs may be under way at once.
    pub(crate) max_runs: usize,
    /// How many more may wait until one of these has ended; beyond, the answer is 429.
    pub(crate) max_waiting: usize,
    /// How many may wait for one session; beyond, the answer is 429.
    pub(crate) max_queued: usize,
    /// How long ended runs are kept, in seconds: a day by default, ten minutes in memory.
    pub(crate) retention_seconds: Option<u64>,
    /// How many bytes the logs of ended runs may have together: a gibibyte by default, 256 MiB in memory.
    pub(crate) retention_bytes: Option<u64>,
    /// How long responses are kept that a client wants to ask for later, in seconds, where that is longer than logs are.
    pub(crate) response_seconds: u64,
    /// How long the runs of a server that is gone keep their sessions before another one takes them over, in seconds.
    pub(crate) lease_seconds: u64,
    /// What becomes of a run whose session has one under way already.
    pub(crate) session_policy: SessionPolicy,
    /// When clients see what an agent writes.
    pub(crate) durability: Durability,
    /// How long a run may take, in seconds.
    pub(crate) run_time_seconds: u64,
    /// How many bytes a run's log may have.
    pub(crate) log_bytes: usize,
    /// How long a cancelled agent may go on before it is dropped, in seconds.
    pub(crate) cancel_grace_seconds: u64,
    /// What becomes of a run whose client goes away.
    pub(crate) on_disconnect: OnDisconnect,
    /// How long a client may be away before its run is cancelled, in seconds.
    pub(crate) disconnect_grace_seconds: u64,
}

impl Default for RunsConfig {
    fn default() -> Self {
        let limits = RunLimits::default();
        RunsConfig {
            max_runs: limits.max_runs,
            max_waiting: limits.max_waiting,
            max_queued: limits.max_queued,
            retention_seconds: None,
            retention_bytes: None,
            response_seconds: 30 * 24 * 60 * 60,
            lease_seconds: limits.lease.as_secs(),
            session_policy: SessionPolicy::Enqueue,
            durability: Durability::Strict,
            run_time_seconds: limits.run_time.as_secs(),
            log_bytes: limits.log_bytes,
            cancel_grace_seconds: limits.cancel_grace.as_secs(),
            on_disconnect: OnDisconnect::Cancel,
            disconnect_grace_seconds: 60,
        }
    }
}

impl RunsConfig {
    /// The limits as the runner takes them.
    pub(crate) fn limits(&self) -> RunLimits {
        let mut limits = RunLimits::default();
        limits.max_runs = self.max_runs;
        limits.max_waiting = self.max_waiting;
        limits.max_queued = self.max_queued;
        limits.lease = Duration::from_secs(self.lease_seconds);
        limits.run_time = Duration::from_secs(self.run_time_seconds);
        limits.log_bytes = self.log_bytes;
        limits.cancel_grace = Duration::from_secs(self.cancel_grace_seconds);
        limits
    }

    /// The options of runs whose request asks for nothing else.
    pub(crate) fn options(&self) -> RunOptions {
        RunOptions::default()
            .with_cancel_after(Duration::from_secs(self.disconnect_grace_seconds))
            .with_on_disconnect(self.on_disconnect)
            .with_session_policy(self.session_policy)
            .with_durability(self.durability)
    }
}
