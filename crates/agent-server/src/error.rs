//! The one table from what went wrong to the HTTP answer that says so.
//!
//! Every error body has `detail` (for the peer's clients: a list of faults with 422, else a sentence) and
//! `error: {code, message}`.

mod info;

use std::time::Duration;

use agent_runner::{CursorError, PositionError, StartError};
use agent_schemas::json::ParseError;
use agent_schemas::{Error, ErrorBody, Json, Step, ValidationError};
use agent_services::ErrorKind;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use self::info::place_of;

pub use self::info::ErrorInfo;

/// The most of a faulty value that is shown back.
const SHOWN_INPUT_BYTES: usize = 1024;

/// Why a request was refused before it had any effect.
#[derive(Debug)]
#[non_exhaustive]
pub enum ApiError {
    /// The body is JSON of a wrong form.
    Invalid(ValidationError),
    /// The body is not JSON.
    Malformed(ParseError),
    /// The body cannot be read as text that could be JSON, or nests too deeply.
    Unreadable(String),
    /// The body did not arrive in time.
    TooSlow {
        /// How long it may take.
        limit: Duration,
    },
    /// The body is too large.
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// There is nothing at this path.
    NotFound,
    /// The path does not know this method.
    MethodNotAllowed,
    /// The `Host` header names a host that this server does not serve.
    HostNotAllowed(String),
    /// The web page that sent the request is of an origin that may not start anything here.
    OriginNotAllowed(String),
    /// A handler of the application's own routes panicked.
    Panic,
    /// The runner refused to start a run.
    NotStarted(StartError),
    /// A query parameter or a part of the path makes no sense.
    BadParameter(String),
    /// A field of the request makes no sense together with the rest of it.
    NotTogether(String),
    /// There is no such run, or none any more.
    NoSuchRun(String),
    /// The run's log has no such position any more.
    PositionGone,
    /// There is no such session for this user.
    NoSuchSession(String),
    /// A run's log could not be read to its end here.
    Cut(CursorError),
    /// A store could not do what was asked.
    Store(agent_services::Error),
    /// A protocol's own reason.
    Other(ErrorInfo),
}

#[derive(Serialize)]
struct Body<'a> {
    detail: Detail<'a>,
    error: ErrorBody,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Detail<'a> {
    Faults([Fault<'a>; 1]),
    Sentence(String),
}

#[derive(Serialize)]
struct Fault<'a> {
    r#type: &'a str,
    loc: Vec<Location<'a>>,
    msg: String,
    input: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Context>,
}

#[derive(Serialize)]
struct Context {
    error: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Location<'a> {
    Key(&'a str),
    Index(usize),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            ApiError::Invalid(_) | ApiError::Malformed(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ApiError::Unreadable(_) => StatusCode::BAD_REQUEST,
            ApiError::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            ApiError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::NotFound => StatusCode::NOT_FOUND,
            ApiError::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ApiError::HostNotAllowed(_) | ApiError::OriginNotAllowed(_) => StatusCode::FORBIDDEN,
            ApiError::Panic => StatusCode::INTERNAL_SERVER_ERROR,
            ApiError::NotStarted(StartError::Refused(error)) => status_of(error.http_status()),
            ApiError::NotStarted(StartError::Busy(_)) => StatusCode::CONFLICT,
            ApiError::NotStarted(StartError::QueueFull { .. }) => StatusCode::TOO_MANY_REQUESTS,
            ApiError::NotStarted(StartError::KeyReused) => StatusCode::UNPROCESSABLE_ENTITY,
            ApiError::NotStarted(StartError::KeyUnknown) => StatusCode::GONE,
            ApiError::NotStarted(StartError::Store(error)) if error.kind() == ErrorKind::InvalidInput => {
                StatusCode::BAD_REQUEST
            }
            ApiError::NotTogether(_) => StatusCode::BAD_REQUEST,
            ApiError::NoSuchRun(_) => StatusCode::NOT_FOUND,
            ApiError::PositionGone => StatusCode::GONE,
            ApiError::NotStarted(_) => StatusCode::SERVICE_UNAVAILABLE,
            ApiError::BadParameter(_) => StatusCode::BAD_REQUEST,
            ApiError::NoSuchSession(_) => StatusCode::NOT_FOUND,
            ApiError::Cut(CursorError::Gone) => StatusCode::GONE,
            ApiError::Cut(CursorError::Lost) => StatusCode::SERVICE_UNAVAILABLE,
            ApiError::Cut(_) => StatusCode::INTERNAL_SERVER_ERROR,
            ApiError::Store(error) => match error.kind() {
                ErrorKind::InvalidInput => StatusCode::BAD_REQUEST,
                ErrorKind::NotFound => StatusCode::NOT_FOUND,
                ErrorKind::AlreadyExists | ErrorKind::Conflict => StatusCode::CONFLICT,
                ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                ErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
            ApiError::Other(error) => error.status,
        }
    }

    fn code(&self) -> &str {
        match self {
            ApiError::Invalid(_) => "INVALID_REQUEST",
            ApiError::Malformed(_) => "MALFORMED_JSON",
            ApiError::Unreadable(_) => "UNREADABLE_BODY",
            ApiError::TooSlow { .. } => "REQUEST_TIMEOUT",
            ApiError::TooLarge { .. } => "PAYLOAD_TOO_LARGE",
            ApiError::NotFound => "NOT_FOUND",
            ApiError::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            ApiError::HostNotAllowed(_) => "HOST_NOT_ALLOWED",
            ApiError::OriginNotAllowed(_) => "ORIGIN_NOT_ALLOWED",
            ApiError::Panic => "INTERNAL_ERROR",
            ApiError::NotStarted(StartError::Refused(error)) => error.code(),
            ApiError::NotStarted(StartError::Busy(_)) => "SESSION_BUSY",
            ApiError::NotStarted(StartError::QueueFull { .. }) => "SESSION_QUEUE_FULL",
            ApiError::NotStarted(StartError::KeyReused) => "IDEMPOTENCY_KEY_REUSED",
            ApiError::NotStarted(StartError::KeyUnknown) => "RUN_GONE",
            ApiError::NotStarted(StartError::Store(error)) if error.kind() == ErrorKind::InvalidInput => {
                "INVALID_PARAMETER"
            }
            ApiError::NotTogether(_) => "INVALID_PARAMETER",
            ApiError::NoSuchRun(_) => "RESOURCE_NOT_FOUND",
            ApiError::PositionGone => "POSITION_GONE",
            ApiError::NotStarted(_) => "STORE_UNAVAILABLE",
            ApiError::BadParameter(_) => "INVALID_PARAMETER",
            ApiError::NoSuchSession(_) => "RESOURCE_NOT_FOUND",
            ApiError::Cut(CursorError::Gone) => "RUN_GONE",
            ApiError::Cut(CursorError::Lost) => "RUN_MOVED",
            ApiError::Cut(_) => "INTERNAL_ERROR",
            ApiError::Store(error) => match error.kind() {
                ErrorKind::InvalidInput => "INVALID_PARAMETER",
                ErrorKind::NotFound => "RESOURCE_NOT_FOUND",
                ErrorKind::AlreadyExists | ErrorKind::Conflict => "CONFLICT",
                ErrorKind::Unavailable => "STORE_UNAVAILABLE",
                ErrorKind::Unsupported => "NOT_SUPPORTED",
                _ => "INTERNAL_ERROR",
            },
            ApiError::Other(error) => &error.code,
        }
    }

    /// When the client may try again, in seconds.
    fn retry_after(&self) -> Option<u16> {
        match self {
            ApiError::NotStarted(StartError::Refused(Error::TooManyRuns { .. })) => Some(1),
            ApiError::NotStarted(StartError::QueueFull { .. }) => Some(1),
            ApiError::NotStarted(StartError::Busy(_) | StartError::KeyReused | StartError::KeyUnknown) => {
                None
            }
            ApiError::NotStarted(StartError::Store(error)) if !error.is_retryable() => None,
            ApiError::NotStarted(_) => Some(5),
            ApiError::Store(error) if error.is_retryable() => Some(5),
            _ => None,
        }
    }

    fn message(&self) -> String {
        match self {
            ApiError::Invalid(fault) => fault.to_string(),
            ApiError::Malformed(fault) => format!("the body is not JSON: {fault}"),
            ApiError::Unreadable(why) => format!("There was an error parsing the body: {why}"),
            ApiError::TooSlow { limit } => format!("The body did not arrive within {} seconds", limit.as_secs()),
            ApiError::TooLarge { limit } => format!("The body is larger than {limit} bytes"),
            // The peer's words, which its clients may compare.
            ApiError::NotFound => "Not Found".to_owned(),
            ApiError::MethodNotAllowed => "Method Not Allowed".to_owned(),
            ApiError::HostNotAllowed(host) => format!(
                "The Host '{host}' is not served here; on a loopback address only loopback names are. \
                 Add it to http.allowed_hosts to allow it"
            ),
            ApiError::OriginNotAllowed(origin) => format!(
                "Web pages of the origin '{origin}' may not use this server. Add it to http.cors_origins to allow it"
            ),
            ApiError::Panic => "Internal Server Error".to_owned(),
            ApiError::NotStarted(StartError::Refused(error)) => error.to_string(),
            ApiError::NotStarted(StartError::Busy(id)) => {
                format!(
                    "The session has a run under way: {id}. Wait for it, cancel it, or choose another session_policy"
                )
            }
            ApiError::NotStarted(StartError::QueueFull { limit }) => {
                format!("{limit} runs wait for this session already, its limit; try again later")
            }
            ApiError::NotStarted(StartError::KeyReused) => {
                "This Idempotency-Key was used for another request; choose a fresh one for each request"
                    .to_owned()
            }
            ApiError::NotStarted(StartError::KeyUnknown) => {
                "The run that was started with this Idempotency-Key is not kept any more; to start another one, send \
                 the request with a fresh key and without Last-Event-ID"
                    .to_owned()
            }
            ApiError::NotStarted(StartError::Store(error)) if error.kind() == ErrorKind::InvalidInput => {
                error.to_string()
            }
            ApiError::NotTogether(message) => message.clone(),
            ApiError::NoSuchRun(id) => format!("run not found: {id}; it may have been forgotten since"),
            ApiError::PositionGone => {
                "The run's log has no such position; read it from its beginning, without Last-Event-ID"
                    .to_owned()
            }
            ApiError::NotStarted(_) => "The run could not be recorded; try again later".to_owned(),
            ApiError::BadParameter(message) => message.clone(),
            ApiError::NoSuchSession(id) => format!("session not found: {id}"),
            ApiError::Cut(CursorError::Lost) => {
                "Another process goes on with the run: repeat the request if it had an Idempotency-Key, or find the \
                 run at GET /runs"
                    .to_owned()
            }
            ApiError::Cut(CursorError::Gone) => "The events of this run are not kept any more".to_owned(),
            ApiError::Cut(_) => "Internal Server Error".to_owned(),
            ApiError::Store(error) => match error.kind() {
                ErrorKind::Unavailable => "The store is unavailable; try again later".to_owned(),
                // What went wrong inside is for the log.
                ErrorKind::Unexpected => "Internal Server Error".to_owned(),
                _ => error.to_string(),
            },
            ApiError::Other(error) => error.message.clone(),
        }
    }

    /// The faulty part of the request.
    fn parameter(&self) -> Option<String> {
        match self {
            ApiError::Invalid(fault) => place_of(fault),
            ApiError::Other(error) => error.parameter.clone(),
            _ => None,
        }
    }

    /// The same for protocols that have an error shape of their own.
    pub fn info(&self) -> ErrorInfo {
        ErrorInfo {
            parameter: self.parameter(),
            ..ErrorInfo::new(self.status(), self.code(), self.message())
        }
    }

    fn detail(&self) -> Detail<'_> {
        match self {
            ApiError::Invalid(fault) => Detail::Faults([Fault {
                r#type: fault.kind,
                loc: std::iter::once(Location::Key("body"))
                    .chain(fault.location.iter().map(location))
                    .collect(),
                msg: fault.message.clone(),
                input: shown(&fault.input),
                ctx: None,
            }]),
            ApiError::Malformed(fault) => Detail::Faults([Fault {
                r#type: "json_invalid",
                loc: vec![Location::Key("body"), Location::Index(fault.offset)],
                msg: "JSON decode error".to_owned(),
                input: shown(&Json::Object(agent_schemas::JsonObject::new())),
                ctx: Some(Context { error: fault.kind.to_string() }),
            }]),
            _ => Detail::Sentence(self.message()),
        }
    }
}

fn location(step: &Step) -> Location<'_> {
    match step {
        Step::Key(key) => Location::Key(key),
        Step::Index(index) => Location::Index(*index),
    }
}

/// A faulty value as JSON; one that is too large is shown as the beginning of its text.
fn shown(input: &Json) -> Box<RawValue> {
    let mut text = input.to_string();
    if text.len() > SHOWN_INPUT_BYTES {
        let mut end = SHOWN_INPUT_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text = Json::String(format!("{text}…")).to_string();
    }
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The status of an error from the number that it names; 500 for numbers that say no error.
pub(crate) fn status_of(status: u16) -> StatusCode {
    let status = StatusCode::from_u16(status)
        .ok()
        .filter(|status| status.is_client_error() || status.is_server_error());
    status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let ApiError::NotStarted(StartError::Store(error)) = &self {
            tracing::error!(error = %error, "a run could not be recorded");
        }
        if let ApiError::Store(error) = &self
            && matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unexpected)
        {
            tracing::error!(error = %error, cause = ?std::error::Error::source(error), "a store failed");
        }
        if let ApiError::Cut(error) = &self {
            tracing::error!(error = %error, "a run's log could not be read to its end");
        }
        let error = ErrorBody { code: self.code().to_owned(), message: self.message() };
        let body = Body { detail: self.detail(), error };
        let mut response = (self.status(), axum::Json(body)).into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self.info());
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
