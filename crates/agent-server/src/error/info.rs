//! Errors, as protocols receive them.

use agent_schemas::{ErrorBody, Step, ValidationError};
use axum::http::StatusCode;

use super::status_of;

/// An error, before it takes a protocol's format.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorInfo {
    /// The HTTP status in the native protocol.
    pub status: StatusCode,
    /// A machine-readable code, as in `docs/compatibility.md`.
    pub code: String,
    /// What is wrong and what to do, for a person.
    pub message: String,
    /// The invalid part of the request, as in `input[0].role`.
    pub parameter: Option<String>,
    /// The `retry-after` header: when the same request may succeed, in seconds.
    pub retry_after: Option<u64>,
}

impl ErrorInfo {
    /// An error that is not about a part of the request.
    pub fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorInfo { status, code: code.into(), message: message.into(), parameter: None, retry_after: None }
    }

    /// An invalid part of the request, as 400.
    pub fn at_parameter(parameter: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorInfo::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER", message).with_parameter(parameter)
    }

    /// Adds the part of the request that is invalid.
    #[must_use]
    pub fn with_parameter(mut self, parameter: impl Into<String>) -> Self {
        self.parameter = Some(parameter.into());
        self
    }

    /// Adds how many seconds the client should wait before it tries again.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

/// The location of an error, as in `tools[0].name`; `None` for the whole request.
pub(super) fn place_of(fault: &ValidationError) -> Option<String> {
    let mut place = String::new();
    for step in &fault.location {
        match step {
            Step::Key(key) if place.is_empty() => place.push_str(key),
            Step::Key(key) => place.extend([".", key]),
            Step::Index(index) => place.push_str(&format!("[{index}]")),
        }
    }
    (!place.is_empty()).then_some(place)
}

impl From<&ErrorBody> for ErrorInfo {
    fn from(error: &ErrorBody) -> Self {
        let info = ErrorInfo::new(status_of(error.http_status()), &*error.code, &*error.message);
        ErrorInfo { retry_after: error.retry_after.and_then(|time| u64::try_from(time).ok()), ..info }
    }
}

impl From<ValidationError> for ErrorInfo {
    fn from(fault: ValidationError) -> Self {
        ErrorInfo { parameter: place_of(&fault), ..ErrorInfo::at_parameter("", fault.message.clone()) }
    }
}
