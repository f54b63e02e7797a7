//! The one table from an error to its response: status, code, message and when to retry.

use agent_runner::{CursorError, StartError};
use agent_schemas::Error;
use agent_services::ErrorKind;
use axum::http::StatusCode;

use super::info::{ErrorInfo, place_of};
use super::{ApiError, status_of};

/// Seconds after which an active run may have ended.
const SOON: u64 = 1;

/// Seconds after which a store or another server may be available.
const LATER: u64 = 5;

impl ApiError {
    pub(super) fn answer(&self) -> ErrorInfo {
        match self {
            ApiError::Invalid(fault) => {
                let (status, message) = (StatusCode::UNPROCESSABLE_ENTITY, fault.to_string());
                let info = ErrorInfo::new(status, "INVALID_REQUEST", message);
                ErrorInfo { parameter: place_of(fault), ..info }
            }
            ApiError::Malformed(fault) => ErrorInfo::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "MALFORMED_JSON",
                format!("The body is not valid JSON: {fault}"),
            ),
            ApiError::Unreadable(reason) => ErrorInfo::new(
                StatusCode::BAD_REQUEST,
                "UNREADABLE_BODY",
                format!("There was an error parsing the body: {reason}"),
            ),
            ApiError::TooSlow { limit } => ErrorInfo::new(
                StatusCode::REQUEST_TIMEOUT,
                "REQUEST_TIMEOUT",
                format!(
                    "The body did not arrive within {} seconds (http.read_timeout_seconds)",
                    limit.as_secs()
                ),
            ),
            ApiError::TooLarge { limit, setting } => ErrorInfo::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "PAYLOAD_TOO_LARGE",
                format!("The body takes more than {limit} bytes ({setting})"),
            ),
            ApiError::NoRoomForBody { limit } => ErrorInfo::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "BODIES_LIMIT_EXCEEDED",
                format!(
                    "The requests that the server is handling use all of the {limit} bytes of memory that they may use \
                     (http.bodies_bytes); try again later"
                ),
            )
            .with_retry_after(SOON),
            ApiError::TooMuchUnread { limit } => ErrorInfo::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "UNREAD_LIMIT_EXCEEDED",
                format!(
                    "More than {limit} bytes (http.unread_bytes) are waiting for slow clients; try again later"
                ),
            )
            .with_retry_after(SOON),
            ApiError::TooManyConnections { limit } => ErrorInfo::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "TOO_MANY_CONNECTIONS",
                format!("The server has reached its limit of {limit} connections (http.max_connections); try again later"),
            )
            .with_retry_after(SOON),
            ApiError::TooManyOfAddress { limit } => ErrorInfo::new(
                StatusCode::TOO_MANY_REQUESTS,
                "TOO_MANY_CONNECTIONS",
                format!(
                    "Your address has reached its limit of {limit} connections (http.max_connections_per_address); close \
                     some of them"
                ),
            )
            .with_retry_after(SOON),
            // Clients of upstream may compare these two messages.
            ApiError::NotFound => ErrorInfo::new(StatusCode::NOT_FOUND, "NOT_FOUND", "Not Found"),
            ApiError::MethodNotAllowed => {
                ErrorInfo::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Method Not Allowed")
            }
            ApiError::BadHost(message) => ErrorInfo::new(StatusCode::BAD_REQUEST, "INVALID_HOST", *message),
            ApiError::HostNotAllowed(host) => ErrorInfo::new(
                StatusCode::FORBIDDEN,
                "HOST_NOT_ALLOWED",
                format!(
                    "This server does not serve the host '{host}'. To allow it, add it to http.allowed_hosts; a \
                     server on a loopback address serves only loopback names by default"
                ),
            ),
            ApiError::OriginNotAllowed(origin) => ErrorInfo::new(
                StatusCode::FORBIDDEN,
                "ORIGIN_NOT_ALLOWED",
                format!(
                    "Web pages from '{origin}' are not allowed to call this server. To allow them, add the origin to \
                     http.cors_origins"
                ),
            ),
            ApiError::Panic => internal(),
            ApiError::NotStarted(error) => of_start(error),
            ApiError::BadParameter(message) | ApiError::NotTogether(message) => {
                ErrorInfo::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER", message)
            }
            ApiError::NoSuchRun(id) => ErrorInfo::new(
                StatusCode::NOT_FOUND,
                "RESOURCE_NOT_FOUND",
                format!("Run not found: {id}. It never existed, or it is no longer kept"),
            ),
            ApiError::Unanswered(id) => ErrorInfo::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "SHUTTING_DOWN",
                format!(
                    "The server is shutting down, and run {id} has not ended. It is kept: repeat the request with its \
                     Idempotency-Key, or read GET /runs/{id}, at another server or after the restart"
                ),
            )
            .with_retry_after(LATER),
            ApiError::NoSuchSession(id) => {
                ErrorInfo::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", format!("Session not found: {id}"))
            }
            ApiError::PositionGone => ErrorInfo::new(
                StatusCode::GONE,
                "POSITION_GONE",
                "The run's log has no such position. To read it from the beginning, omit Last-Event-ID",
            ),
            ApiError::Cut(error) => of_cursor(error),
            ApiError::Store(error) => of_store(error),
            ApiError::Other(info) => info.clone(),
        }
    }
}

fn of_start(error: &StartError) -> ErrorInfo {
    match error {
        StartError::Refused(error) => {
            let is_short = matches!(error, Error::TooManyRuns { .. } | Error::MemoryLimitExceeded { .. });
            let seconds = if is_short { SOON } else { LATER };
            ErrorInfo::new(status_of(error.http_status()), error.code(), error.to_string())
                .with_retry_after(seconds)
        }
        StartError::UnknownAgent { name, known } => {
            let message = format!("There is no agent '{name}'. Set model to one of {known}, or omit it");
            let info = ErrorInfo::new(StatusCode::NOT_FOUND, "MODEL_NOT_FOUND", message);
            info.with_parameter("model")
        }
        StartError::Busy(id) => ErrorInfo::new(
            StatusCode::CONFLICT,
            "SESSION_BUSY",
            format!(
                "Run {id} of this session is still in progress. Wait for it, cancel it, or choose another \
                 session_policy"
            ),
        ),
        StartError::QueueFull { runs, bytes } => ErrorInfo::new(
            StatusCode::TOO_MANY_REQUESTS,
            "SESSION_QUEUE_FULL",
            format!(
                "The session's queue is full: at most {runs} runs (runs.max_queued) with {bytes} bytes of \
                 requests (runs.queued_bytes) may wait; try again later"
            ),
        )
        .with_retry_after(SOON),
        StartError::KeyReused => ErrorInfo::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "IDEMPOTENCY_KEY_REUSED",
            "This Idempotency-Key belongs to another request. Use a new key for each request",
        ),
        StartError::KeyUnknown => ErrorInfo::new(
            StatusCode::GONE,
            "RUN_GONE",
            "The run of this Idempotency-Key is no longer kept. To start another run, use a new key and omit \
             Last-Event-ID",
        ),
        StartError::Store(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Full) => {
            of_store(error)
        }
        StartError::Store(error) => {
            let retry_after = error.is_retryable().then_some(LATER);
            ErrorInfo { retry_after, ..not_recorded() }
        }
        _ => not_recorded().with_retry_after(LATER),
    }
}

fn internal() -> ErrorInfo {
    ErrorInfo::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "Internal Server Error")
}

fn not_recorded() -> ErrorInfo {
    let message = "Could not record the run; try again later";
    ErrorInfo::new(StatusCode::SERVICE_UNAVAILABLE, "STORE_UNAVAILABLE", message)
}

fn of_cursor(error: &CursorError) -> ErrorInfo {
    match error {
        CursorError::Gone => {
            ErrorInfo::new(StatusCode::GONE, "RUN_GONE", "The events of this run are no longer kept")
        }
        CursorError::Lost => ErrorInfo::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "RUN_MOVED",
            "Another process has taken over the run. Repeat the request if it had an Idempotency-Key, or find the \
             run with GET /runs",
        ),
        _ => internal(),
    }
}

fn of_store(error: &agent_services::Error) -> ErrorInfo {
    let (status, code) = match error.kind() {
        ErrorKind::InvalidInput => (StatusCode::BAD_REQUEST, "INVALID_PARAMETER"),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND"),
        ErrorKind::AlreadyExists | ErrorKind::Conflict => (StatusCode::CONFLICT, "CONFLICT"),
        ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "STORE_UNAVAILABLE"),
        ErrorKind::Full => (StatusCode::SERVICE_UNAVAILABLE, "STORE_FULL"),
        ErrorKind::Unsupported => (StatusCode::NOT_IMPLEMENTED, "NOT_SUPPORTED"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR"),
    };
    let message = match error.kind() {
        ErrorKind::Unavailable => "The store is unavailable; try again later".to_owned(),
        // The log has the details.
        ErrorKind::Unexpected => "Internal Server Error".to_owned(),
        _ => error.to_string(),
    };
    let may_pass = error.is_retryable() || error.kind() == ErrorKind::Full;
    ErrorInfo { retry_after: may_pass.then_some(LATER), ..ErrorInfo::new(status, code, message) }
}
