//! The options that all backends share.

use std::time::Duration;

use crate::StoreContext;
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
    /// Whether the data is only read, possibly while another process has it open. The backend may then reject writes.
    pub is_read_only: bool,
}

impl OpenOptions {
    /// The same with another clock, other ids or other limits.
    #[must_use]
    pub fn with_context(mut self, context: StoreContext) -> Self {
        self.context = context;
        self
    }

    /// The same with another retention of ended runs; `None` leaves a value to the backend.
    #[must_use]
    pub fn with_retention(mut self, age: Option<Duration>, bytes: Option<u64>) -> Self {
        (self.retention_age, self.retention_bytes) = (age, bytes);
        self
    }

    /// The same for reading only.
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
}
