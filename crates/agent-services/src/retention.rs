//! How long data is kept that nobody has asked to keep.

use std::time::Duration;

/// How long ended runs are kept that do not ask for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end a run is forgotten.
    pub age: Duration,
    /// How many bytes the logs of ended runs may have together, roughly; the oldest go first. What is kept of runs for longer
    /// than their logs may have as many again.
    pub bytes: u64,
}

impl Retention {
    /// A day and a gibibyte: for stores that outlive the process.
    pub const DURABLE: Retention = Retention { age: Duration::from_secs(24 * 60 * 60), bytes: 1 << 30 };

    /// Ten minutes and 256 MiB: for stores in memory.
    pub const IN_MEMORY: Retention = Retention { age: Duration::from_secs(10 * 60), bytes: 256 << 20 };
}
