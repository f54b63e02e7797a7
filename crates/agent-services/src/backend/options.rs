//! What all backends are opened with.

use std::time::Duration;

use crate::StoreContext;
use crate::run::Retention;

/// What all backends are opened with. What concerns one backend only is a parameter of its URL.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// Where the stores have the time and fresh ids from, and what they may hold.
    pub context: StoreContext,
    /// How long ended runs are kept; without it, as long as the backend finds right.
    pub retention_age: Option<Duration>,
    /// How many bytes the logs of ended runs may have together; without it, as many as the backend finds right.
    pub retention_bytes: Option<u64>,
    /// How long anonymous sessions are kept after the last append; without it, as long as ended runs.
    pub anonymous_age: Option<Duration>,
    /// How many bytes all data may take that is kept in this process's memory; without it, a gibibyte. Beyond, ended runs and
    /// anonymous sessions go, the oldest first, then stored responses; then whatever would take more is refused.
    pub memory_bytes: Option<u64>,
    /// Whether the data is only read, maybe beside a process that has it. Writing may be refused then.
    pub is_read_only: bool,
}

impl OpenOptions {
    /// The same with another clock, other ids or other limits.
    #[must_use]
    pub fn with_context(mut self, context: StoreContext) -> Self {
        self.context = context;
        self
    }

    /// The same with another retention of ended runs; `None` leaves that half to the backend.
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

    /// The same with another bound of the data in memory; `None` for the default.
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

    /// How long a backend keeps ended runs whose own choice is `default`.
    #[must_use]
    pub fn retention(&self, default: Retention) -> Retention {
        Retention {
            age: self.retention_age.unwrap_or(default.age),
            bytes: self.retention_bytes.unwrap_or(default.bytes),
        }
    }

    /// How long a backend keeps anonymous sessions whose own choice for ended runs is `default`.
    #[must_use]
    pub fn session_retention(&self, default: Retention) -> Retention {
        let retention = self.retention(default);
        Retention { age: self.anonymous_age.unwrap_or(retention.age), ..retention }
    }
}
