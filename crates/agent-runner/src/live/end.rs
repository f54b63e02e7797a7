//! How runs and their logs end.

use agent_schemas::{ErrorBody, Status};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunEnd {
    /// The final response's status.
    pub status: Status,
    /// The HTTP status of a failed run's error.
    pub http_status: Option<u16>,
    /// When the same request may succeed, in seconds, if the error says so.
    pub retry_after: Option<u64>,
}

impl RunEnd {
    pub(crate) fn new(status: Status, error: Option<&ErrorBody>) -> Self {
        let retry_after = error.and_then(|error| error.retry_after).and_then(|time| u64::try_from(time).ok());
        RunEnd { status, http_status: error.map(ErrorBody::http_status), retry_after }
    }
}

/// How a log ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LogEnd {
    /// With its final event.
    Finished(RunEnd),
    /// Elsewhere or not at all: this process lost the right to write it.
    Lost,
}
