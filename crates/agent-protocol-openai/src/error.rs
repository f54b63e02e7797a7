//! `{"error": {"message", "type", "param", "code"}}`: the format of OpenAI's errors.

use agent_schemas::{ErrorBody, JsonObject};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
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

/// An error together with what the run has done.
#[derive(Serialize)]
struct FailedRun<'a> {
    #[serde(flatten)]
    members: JsonObject,
    error: Error<'a>,
}

pub(super) fn response(error: &ErrorInfo) -> Response {
    with_headers(error, Json(body(error)))
}

fn with_headers(error: &ErrorInfo, body: Json<impl Serialize>) -> Response {
    let mut response = (status(error), body).into_response();
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The body, also for a frame of a stream.
pub(super) fn body(error: &ErrorInfo) -> Body<'_> {
    Body {
        error: Error {
            message: &error.message,
            r#type: kind(status(error)),
            param: error.parameter.as_deref(),
            code: code(&error.code),
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

/// Why a run failed.
pub(super) fn of_run(error: &ErrorBody) -> ErrorInfo {
    let mut info = ErrorInfo::from(error);
    // Codes with 422 say that the agent failed, which does not make the request invalid.
    if info.status == StatusCode::UNPROCESSABLE_ENTITY && error.status.is_none() {
        info.status = StatusCode::INTERNAL_SERVER_ERROR;
    }
    if info.code == MODEL_CONTEXT_LENGTH_EXCEEDED {
        // LiteLLM and others recognize the error by these words, not by its code.
        info.message.push_str(": the prompt is too long");
    }
    info
}

/// The response to a request whose run failed; `members` are further members of its body.
pub(super) fn run_failed(error: &ErrorInfo, members: JsonObject) -> Response {
    let mut response = with_headers(error, Json(FailedRun { members, error: body(error).error }));
    if error.retry_after.is_none() {
        // OpenAI's clients retry after a server error, which would run the agent again.
        response.headers_mut().insert("x-should-retry", HeaderValue::from_static("false"));
    }
    response
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

/// OpenAI's name for a code that clients act on; other codes in lower case.
fn code(code: &str) -> String {
    match code {
        MODEL_CONTEXT_LENGTH_EXCEEDED => CONTEXT_LENGTH_EXCEEDED.to_owned(),
        "MODEL_QUOTA_EXCEEDED" => RATE_LIMIT_EXCEEDED.to_owned(),
        code => code.to_ascii_lowercase(),
    }
}

/// The native code of a conversation that is too long for the model.
const MODEL_CONTEXT_LENGTH_EXCEEDED: &str = "MODEL_CONTEXT_LENGTH_EXCEEDED";

/// OpenAI's code for it.
pub(super) const CONTEXT_LENGTH_EXCEEDED: &str = "context_length_exceeded";

/// The code of too many requests.
pub(super) const RATE_LIMIT_EXCEEDED: &str = "rate_limit_exceeded";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &ErrorBody, status: u16, kind: &str, code: &str, wait: Option<&str>) {
        let info = of_run(error);
        let response = run_failed(&info, JsonObject::new());
        let written = serde_json::to_value(body(&info)).expect("JSON");
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(
            (response.status().as_u16(), &written["error"]["type"], &written["error"]["code"]),
            (status, &kind.into(), &code.into()),
            "{error:?}"
        );
        assert_eq!(header("retry-after"), wait, "{error:?}");
        assert_eq!(header("x-should-retry"), wait.is_none().then_some("false"), "{error:?}");
    }

    #[test]
    fn run_failed__each_class__has_its_status_and_type() {
        let error = |code: &str| ErrorBody::new(code, "m");
        let limited = "rate_limit_error";
        check(&error("MODEL_QUOTA_EXCEEDED"), 429, limited, "rate_limit_exceeded", None);
        check(
            &error("MODEL_QUOTA_EXCEEDED").with_retry_after(7),
            429,
            limited,
            "rate_limit_exceeded",
            Some("7"),
        );
        let invalid = "invalid_request_error";
        check(&error("MODEL_CONTEXT_LENGTH_EXCEEDED"), 400, invalid, "context_length_exceeded", None);
        check(
            &error("MODEL_EXECUTION_FAILED").with_status(400),
            400,
            invalid,
            "model_execution_failed",
            None,
        );
        check(&error("MODEL_UNAUTHORIZED_ACCESS"), 502, "server_error", "model_unauthorized_access", None);
        check(&error("MODEL_TIMEOUT"), 504, "server_error", "model_timeout", None);
        check(&error("AGENT_ERROR"), 500, "server_error", "agent_error", None);
        check(&error("MINE"), 500, "server_error", "mine", None);
        check(&error("MINE").with_status(422), 400, invalid, "mine", None);
        check(&error("MINE").with_status(200), 500, "server_error", "mine", None);
    }
}
