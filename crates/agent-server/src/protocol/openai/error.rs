//! `{"error": {"message", "type", "param", "code"}}`: how OpenAI says that something went wrong.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::super::Failure;

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

pub(super) fn response(failure: &Failure) -> Response {
    (status(failure), Json(body(failure))).into_response()
}

/// The same for a frame of a stream.
pub(super) fn body(failure: &Failure) -> Body<'_> {
    Body {
        error: Error {
            message: &failure.message,
            r#type: kind(status(failure)),
            param: failure.parameter.as_deref(),
            code: failure.code.to_ascii_lowercase(),
        },
    }
}

/// The same as an event of a connection that stays, which has no HTTP status.
#[derive(Serialize)]
pub(super) struct ErrorEvent<'a> {
    r#type: &'static str,
    status: u16,
    #[serde(flatten)]
    body: Body<'a>,
}

pub(super) fn event(failure: &Failure) -> ErrorEvent<'_> {
    ErrorEvent { r#type: "error", status: status(failure).as_u16(), body: body(failure) }
}

fn status(failure: &Failure) -> StatusCode {
    match failure.status {
        // OpenAI knows no other status for a request of a wrong form, and its clients have no name for 422's faults.
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
