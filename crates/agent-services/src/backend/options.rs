//! The options that all backends share.

use std::time::Duration;

use crate::StoreContext;
use crate::memory_budget;
use crate::run::Retention;

/// The options that all backends share. Settings of a single backend are parameters of its URL.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// The clock, the source of ids, and the size limits of the stores.
    pub context: StoreContext,
    /// How long ended runs are kept; the backend's default if `None`.
    pub retention_age: Option<Duration>,
    /// The maximum size of the logs of all ended runs, in bytes; the backend's default if `None`.
    pub retention_bytes: Option<u64>,
    /// How long anonymous sessions are kept after the last append; without it, as long as ended runs.
    pub anonymous_age: Option<Duration>,
    /// The maximum size of all data in this process's memory, in bytes; by default [`MEMORY_BYTES`](Self::MEMORY_BYTES).
    /// Beyond it, ended runs and anonymous sessions are deleted, oldest first, then stored responses; if that is not
    /// enough, new data is rejected.
    pub memory_bytes: Option<u64>,
    /// Whether the data is only read, possibly while another process uses it. Writes may then be rejected.
    pub is_read_only: bool,
}

impl OpenOptions {
    /// The default maximum size of all data in memory, in bytes: 256 MiB.
    pub const MEMORY_BYTES: u64 = memory_budget::DEFAULT_BYTES;

    /// The same with another clock, other ids or other limits.
    #[must_use]
    pub fn with_context(mut self, context: StoreContext) -> Self {
        self.context = context;
        self
    }

    /// The same with another retention of ended runs; `None` means the backend's default.
    #[must_use]
    pub fn with_retention(mut self, age: Option<Duration>, bytes: Option<u64>) -> Self {
        (self.retention_age, self.retention_bytes) = (age, bytes);
        self
    }

    /// The same with another retention of anonymous sessions; `None` for that of ended runs.
    #[must_use]
    pub fn with_anonymous_age(mut self, age: Option<Duration>) -> Self {
        self.anonymous_age = age;
        self
    }

    /// The same with another limit on the data in memory; `None` for the default.
    #[must_use]
    pub fn with_memory_bytes(mut self, bytes: Option<u64>) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// The same, for data that is only read.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }

    /// The retention of ended runs, given the backend's default.
    #[must_use]
    pub fn retention(&self, default: Retention) -> Retention {
        Retention {
            age: self.retention_age.unwrap_or(default.age),
            bytes: self.retention_bytes.unwrap_or(default.bytes),
        }
    }

    /// The retention of anonymous sessions, given the backend's default for ended runs.
    #[must_use]
    pub fn session_retention(&self, default: Retention) -> Retention {
        let retention = self.retention(default);
        Retention { age: self.anonymous_age.unwrap_or(retention.age), ..retention }
    }
}
