//! The `[runs]` section: what runs may use, and how they are treated.

use std::time::Duration;

use agent_runner::{Durability, OnDisconnect, RunLimits};
use agent_services::run::SessionPolicy;
use serde::{Deserialize, Serialize};

/// What runs may use, and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RunsConfig {
    /// How many runs may be under way at once.
    pub max_runs: usize,
    /// How many more may wait until one of these has ended; beyond, the answer is 429.
    pub max_waiting: usize,
    /// How many may wait for one session; beyond, the answer is 429.
    pub max_queued: usize,
    /// How long ended runs are kept, in seconds: a day by default, ten minutes in memory.
    pub retention_seconds: Option<u64>,
    /// How many bytes the logs of ended runs may have together: a gibibyte by default, 256 MiB in memory.
    pub retention_bytes: Option<u64>,
    /// How long responses are kept that a client wants to ask for later, in seconds, where that is longer than logs are.
    pub response_seconds: u64,
    /// How long the runs of a server that is gone keep their sessions before another one takes them over, in seconds.
    pub lease_seconds: u64,
    /// What becomes of a run whose session has one under way already.
    pub session_policy: PolicyConfig,
    /// When clients see what an agent writes.
    pub durability: DurabilityConfig,
    /// How long a run may take, in seconds.
    pub run_time_seconds: u64,
    /// How many bytes a run's log may have.
    pub log_bytes: usize,
    /// How long a cancelled agent may go on before it is dropped, in seconds.
    pub cancel_grace_seconds: u64,
    /// What becomes of a run whose client goes away.
    pub on_disconnect: DisconnectPolicy,
    /// How long a client may be away before its run is cancelled, in seconds.
    pub disconnect_grace_seconds: u64,
}

/// What becomes of a run whose client goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisconnectPolicy {
    /// It is cancelled after the grace period.
    Cancel,
    /// It goes on to its end.
    Continue,
}

/// What becomes of a run whose session has one under way already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyConfig {
    /// It waits for its turn.
    Enqueue,
    /// It is refused with 409.
    Reject,
    /// The one under way is cancelled, and this one is next.
    Interrupt,
    /// Its input is handed to the one under way.
    Steer,
}

/// When clients see what an agent writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DurabilityConfig {
    /// Once it is stored.
    Strict,
    /// At once; it is stored a tenth of a second later.
    Relaxed,
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
            session_policy: PolicyConfig::Enqueue,
            durability: DurabilityConfig::Strict,
            run_time_seconds: limits.run_time.as_secs(),
            log_bytes: limits.log_bytes,
            cancel_grace_seconds: limits.cancel_grace.as_secs(),
            on_disconnect: DisconnectPolicy::Cancel,
            disconnect_grace_seconds: 60,
        }
    }
}

impl RunsConfig {
    /// The limits as the runner takes them.
    pub fn limits(&self) -> RunLimits {
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

    /// The session policy as the runner takes it.
    pub fn session_policy(&self) -> SessionPolicy {
        match self.session_policy {
            PolicyConfig::Enqueue => SessionPolicy::Enqueue,
            PolicyConfig::Reject => SessionPolicy::Reject,
            PolicyConfig::Interrupt => SessionPolicy::Interrupt,
            PolicyConfig::Steer => SessionPolicy::Steer,
        }
    }

    /// The durability as the runner takes it.
    pub fn durability(&self) -> Durability {
        match self.durability {
            DurabilityConfig::Strict => Durability::Strict,
            DurabilityConfig::Relaxed => Durability::Relaxed,
        }
    }

    /// How long a client may be away, where its run is cancelled when it goes.
    pub fn disconnect_grace(&self) -> Duration {
        Duration::from_secs(self.disconnect_grace_seconds)
    }

    /// The policy as the runner takes it.
    pub fn on_disconnect(&self) -> OnDisconnect {
        match self.on_disconnect {
            DisconnectPolicy::Cancel => OnDisconnect::Cancel { grace: self.disconnect_grace() },
            DisconnectPolicy::Continue => OnDisconnect::Continue,
        }
    }
}
