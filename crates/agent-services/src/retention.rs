//! How long data is kept by default.

use std::time::Duration;

/// How long ended runs are kept by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long a run is kept after its end.
    pub age: Duration,
    /// The approximate maximum size of the logs of all ended runs, in bytes; the oldest are deleted first. Trimmed runs
    /// have a separate limit of the same size.
    pub bytes: u64,
}

impl Retention {
    /// One day and 1 GiB: for stores that outlive the process.
    pub const DURABLE: Retention = Retention { age: Duration::from_secs(24 * 60 * 60), bytes: 1 << 30 };

    /// Ten minutes and 256 MiB: for stores in memory.
    pub const IN_MEMORY: Retention = Retention { age: Duration::from_secs(10 * 60), bytes: 256 << 20 };
}
