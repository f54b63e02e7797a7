//! How runs and their logs end.

use agent_schemas::Status;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunEnd {
    /// The final response's status.
    pub status: Status,
    /// The HTTP status of a failed run's error.
    pub http_status: Option<u16>,
}

/// How a log ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LogEnd {
    /// With its final event.
    Finished(RunEnd),
    /// Elsewhere or not at all: this process lost the right to write it.
    Lost,
}
