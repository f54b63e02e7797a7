//! `{"error": {"message", "type", "param", "code"}}`: the format of OpenAI's errors.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use agent_server::protocol::ErrorInfo;

#[derive(Serialize)]
pub(super) struct Body<'a> {
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<&'a str>,
    code: String,
}

pub(super) fn response(error: &ErrorInfo) -> Response {
    (status(error), Json(body(error))).into_response()
}

/// The body, also for a frame of a stream.
pub(super) fn body(error: &ErrorInfo) -> Body<'_> {
    Body {
        error: Error {
            message: &error.message,
            r#type: kind(status(error)),
            param: error.parameter.as_deref(),
            code: error.code.to_ascii_lowercase(),
        },
    }
}

/// An error as an event of a connection that stays open and has no HTTP status.
#[derive(Serialize)]
pub(super) struct ErrorEvent<'a> {
    r#type: &'static str,
    status: u16,
    #[serde(flatten)]
    body: Body<'a>,
}

pub(super) fn event(error: &ErrorInfo) -> ErrorEvent<'_> {
    ErrorEvent { r#type: "error", status: status(error).as_u16(), body: body(error) }
}

/// The status of an agent's error.
pub(super) fn status_of(status: u16) -> StatusCode {
    let is_error = |status: &StatusCode| status.is_client_error() || status.is_server_error();
    StatusCode::from_u16(status).ok().filter(is_error).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn status(error: &ErrorInfo) -> StatusCode {
    match error.status {
        // OpenAI uses no other status for invalid requests, and its clients have no name for the validation errors of
        // 422.
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    }
}

fn kind(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request_error",
    }
}
