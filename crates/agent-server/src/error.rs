//! Errors of requests, and the HTTP responses that report them.
//!
//! Every error body has `detail` (as upstream's clients expect it: a list of errors with 422, otherwise a sentence) and
//! `error: {code, message}`. `answer` defines the status, the code and the message of each error.

mod answer;
mod body;
mod info;

use std::time::Duration;

use agent_runner::{CursorError, PositionError, StartError};
use agent_schemas::json::ParseError;
use agent_schemas::{ErrorBody, ValidationError};
use agent_services::ErrorKind;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use self::body::Body;
use crate::headers::set_retry_after;

pub use self::info::ErrorInfo;

/// Why a request was rejected before it had any effect.
#[derive(Debug)]
#[non_exhaustive]
pub enum ApiError {
    /// The body is JSON, but does not have the expected form.
    Invalid(ValidationError),
    /// The body is not JSON.
    Malformed(ParseError),
    /// The body is not UTF-8, was cut off, or is nested too deeply.
    Unreadable(String),
    /// The body did not arrive in time.
    TooSlow {
        /// The maximum time.
        limit: Duration,
    },
    /// The body is too large.
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
        /// The setting of the limit.
        setting: &'static str,
    },
    /// The bodies of all requests have reached their limit of memory.
    NoRoomForBody {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The responses that clients have not read have reached their limit of bytes.
    TooMuchUnread {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The server has reached its limit of connections.
    TooManyConnections {
        /// How many those are.
        limit: usize,
    },
    /// The client's address has reached its limit of connections.
    TooManyOfAddress {
        /// How many those are.
        limit: usize,
    },
    /// There is nothing at this path.
    NotFound,
    /// The path does not support this method.
    MethodNotAllowed,
    /// There is no `Host` header, or more than one, or it names no host.
    BadHost(&'static str),
    /// The `Host` header names a host that this server does not serve.
    HostNotAllowed(String),
    /// The request comes from a web page whose origin is not allowed.
    OriginNotAllowed(String),
    /// A handler of the application's own routes panicked.
    Panic,
    /// The runner did not start the run.
    NotStarted(StartError),
    /// A query parameter, a header or a part of the path has an invalid value.
    BadParameter(String),
    /// A field of the request contradicts the rest of it.
    NotTogether(String),
    /// There is no such run, or it is no longer kept.
    NoSuchRun(String),
    /// The run's log no longer has this position.
    PositionGone,
    /// The server closes its connections before the end of the run, which is queued or executed elsewhere.
    Unanswered(String),
    /// There is no such session for this user.
    NoSuchSession(String),
    /// A run's log could not be read to its end.
    Cut(CursorError),
    /// A store failed.
    Store(agent_services::Error),
    /// An error that a protocol defines.
    Other(ErrorInfo),
}

impl ApiError {
    /// What protocols with their own error formats need in order to report it.
    pub fn info(&self) -> ErrorInfo {
        self.answer()
    }

    /// Logs what is not the client's fault. The client does not receive the details.
    fn log(&self) {
        match self {
            ApiError::NotStarted(StartError::Store(error)) if is_the_stores(error) => {
                tracing::error!(error = %error, "could not record a run");
            }
            ApiError::Store(error) if is_the_stores(error) => {
                tracing::error!(error = %error, cause = ?std::error::Error::source(error), "a store failed");
            }
            ApiError::Cut(error) => log_cut(error, "could not read a run's log to its end"),
            _ => {}
        }
    }
}

/// Returns whether the store is at fault, and not the request.
fn is_the_stores(error: &agent_services::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unexpected)
}

/// Logs that a run's log could not be read to its end. It is not a fault if the log is no longer kept, or if
/// another process has taken over the run.
pub(crate) fn log_cut(error: &CursorError, what: &str) {
    match error {
        CursorError::Gone | CursorError::Lost => tracing::info!(error = %error, "{what}"),
        _ => tracing::error!(error = %error, cause = ?std::error::Error::source(error), "{what}"),
    }
}

/// An error's status from its number; 500 for numbers that are not an error status.
pub(crate) fn status_of(status: u16) -> StatusCode {
    let status = StatusCode::from_u16(status)
        .ok()
        .filter(|status| status.is_client_error() || status.is_server_error());
    status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let info = self.answer();
        let error = ErrorBody::new(info.code.clone(), info.message.clone());
        let mut response = (info.status, axum::Json(Body::new(&self, error))).into_response();
        set_retry_after(&mut response, info.retry_after);
        response.extensions_mut().insert(info);
        response
    }
}

impl From<ValidationError> for ApiError {
    fn from(fault: ValidationError) -> Self {
        ApiError::Invalid(fault)
    }
}

impl From<CursorError> for ApiError {
    fn from(error: CursorError) -> Self {
        match error {
            CursorError::Store(error) => ApiError::Store(error),
            other => ApiError::Cut(other),
        }
    }
}

impl From<ErrorInfo> for ApiError {
    fn from(error: ErrorInfo) -> Self {
        ApiError::Other(error)
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        ApiError::NotStarted(error)
    }
}

impl From<PositionError> for ApiError {
    fn from(error: PositionError) -> Self {
        match error {
            PositionError::Store(error) => ApiError::Store(error),
            PositionError::Trimmed => ApiError::Cut(CursorError::Gone),
            _ => ApiError::PositionGone,
        }
    }
}

impl From<agent_services::Error> for ApiError {
    fn from(error: agent_services::Error) -> Self {
        ApiError::Store(error)
    }
}
