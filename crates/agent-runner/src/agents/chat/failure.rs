//! Failed model calls: the error for the client, the text for the log, and whether to retry.

mod report;

use std::error::Error as StdError;
use std::time::Duration;

use agent_schemas::{Error, Json, json};
use reqwest::StatusCode;

use super::body::BodyError;
use super::hint::Hint;
use report::Report;

/// How much of a server's own text the log holds, in characters.
const MAX_TEXT: usize = 500;

/// A failed model call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    /// The error for clients: a code and a short text, without addresses. It has the server's own text only if the server
    /// refused the request, because nothing else says what to change.
    pub(super) error: Error,
    /// What happened, for the log and the operator, including the server's own text.
    pub(super) what: String,
    /// What to do about it.
    pub(super) hint: Hint,
    pub(super) retry: Retry,
}

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    Never,
    /// Yes, after a while.
    Soon,
    /// Yes, after the time that the server requested.
    After(Duration),
}

impl Failure {
    fn new(error: Error, what: impl Into<String>, hint: Hint, retry: Retry) -> Self {
        Failure { error, what: what.into(), hint, retry }
    }

    /// A failure without a code of its own. Clients see the `kind`.
    fn execution(model: &str, kind: &str, what: impl Into<String>, hint: Hint, retry: Retry) -> Self {
        let error = Error::ModelExecution { model_name: format!("{model}: {kind}") };
        Failure::new(error, what, hint, retry)
    }

    /// The same without this key, which a server may repeat in its error.
    pub(super) fn redacted(mut self, key: &str) -> Self {
        let redact = |text: &str| text.replace(key, "[redacted]");
        self.what = redact(&self.what);
        if let Error::Body(error) = &mut self.error {
            error.message = redact(&error.message);
        }
        self
    }

    /// The same with an HTTP status other than that of its code.
    fn with_status(mut self, status: u16, after: Option<Duration>) -> Self {
        let mut body = self.error.to_body().with_status(status);
        if let Some(time) = after {
            body = body.with_retry_after(whole_seconds(time));
        }
        self.error = body.into();
        self
    }

    /// A step took longer than the setting with this name allows.
    pub(super) fn timeout(model: &str, setting: &'static str, limit: Duration, retry: Retry) -> Self {
        let timeout = whole_seconds(limit);
        let error = Error::ModelTimeout { model_name: model.to_owned(), timeout };
        let what = match setting {
            CONNECT_TIMEOUT => format!("no connection within {timeout} s"),
            FIRST_TOKEN_TIMEOUT => format!("no token within {timeout} s"),
            _ => format!("the stream was silent for {timeout} s"),
        };
        Failure::new(error, what, Hint::Timeout(setting), retry)
    }

    /// The stream ended before the model did.
    pub(super) fn cut(model: &str) -> Self {
        let what = "the stream ended before the model was done";
        Failure::execution(model, "the stream ended early", what, Hint::Server, Retry::Soon)
    }

    /// The answer ended before its first token. `start` is the beginning of what arrived.
    pub(super) fn empty(model: &str, start: &str) -> Self {
        let what = match start.trim() {
            "" => "the answer is empty".to_owned(),
            start => format!("the answer contains no tokens; it begins with: {}", shortened(start)),
        };
        Failure::execution(model, "the stream ended early", what, Hint::Server, Retry::Soon)
    }

    /// The model called too many tools in one answer.
    pub(super) fn too_many_calls(model: &str, limit: usize) -> Self {
        let what = format!("it called more than {limit} tools at once");
        Failure::execution(model, &what, &*what, Hint::None, Retry::Never)
    }

    /// The answer cannot be read. `start` is its beginning.
    pub(super) fn body(model: &str, error: BodyError, start: &str) -> Self {
        let what = match (error, start.trim()) {
            (BodyError::Malformed, start) if !start.is_empty() => {
                format!("{error}; it begins with: {}", shortened(start))
            }
            _ => error.to_string(),
        };
        let hint = if error == BodyError::Malformed { Hint::Path } else { Hint::None };
        Failure::execution(model, &error.to_string(), what, hint, Retry::Never)
    }

    /// The connection could not be established, or was lost.
    pub(super) fn transport(model: &str, error: &reqwest::Error, connect_limit: Duration) -> Self {
        let causes = causes(error);
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => Failure::timeout(model, CONNECT_TIMEOUT, connect_limit, Retry::Soon),
            (true, false) => {
                let hint = Hint::of_connect(error, &causes);
                let what = format!("could not connect: {}", causes.last().map_or("", String::as_str));
                Failure::execution(model, "the model server cannot be reached", what, hint, Retry::Soon)
            }
            (false, _) if error.is_body() || error.is_decode() => Failure::cut(model),
            (false, _) => {
                let hint = Hint::of_broken(&causes);
                let what = format!("the connection broke: {}", causes.last().map_or("", String::as_str));
                let kind = "the connection to the model server broke";
                Failure::execution(model, kind, what, hint, Retry::Soon)
            }
        }
    }

    /// The server answered with an HTTP error, or with a redirect to this location.
    pub(super) fn status(
        model: &str,
        status: StatusCode,
        body: &str,
        after: Option<Duration>,
        location: Option<&str>,
    ) -> Self {
        let report = Report::new(&json::parse(body).unwrap_or_else(|_| body.into()));
        let kind = format!("the model server answered {status}");
        let said = match (report.message.trim(), location) {
            (_, Some(location)) => format!(" and redirects to {location}"),
            ("", None) => String::new(),
            (message, None) => format!(": {}", shortened(message)),
        };
        let what = format!("the server answered {status}{said}");
        report.failure(model, status.as_u16(), &kind, what, after)
    }

    /// The server sent an error instead of a chunk.
    pub(super) fn sent(model: &str, error: &Json) -> Self {
        let report = Report::new(error);
        let said = match report.message.trim() {
            "" => shortened(&error.to_string()),
            message => shortened(message),
        };
        let what = format!("the server sent an error: {said}");
        report.failure(model, report.status(), "the model server sent an error", what, None)
    }
}

/// The status of a fault between this server and the model server.
const BAD_GATEWAY: u16 = 502;

/// The setting that limits connecting.
pub(super) const CONNECT_TIMEOUT: &str = "connect_timeout_seconds";

/// The setting that limits the wait for the first token.
pub(super) const FIRST_TOKEN_TIMEOUT: &str = "first_token_timeout_seconds";

/// The setting that limits the time between later tokens.
pub(super) const IDLE_TIMEOUT: &str = "idle_timeout_seconds";

/// The beginning of a server's own text, on one line.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// An error's causes, the innermost last. Unlike the error itself, they name no URL.
fn causes(error: &reqwest::Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut cause: &dyn StdError = error;
    while let Some(source) = cause.source() {
        cause = source;
        causes.push(cause.to_string());
    }
    causes
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, code: &str, retry: Retry) {
        let status = StatusCode::from_u16(status).expect("a status");
        let failure = Failure::status("m", status, body, None, None);
        assert_eq!((failure.error.code(), failure.retry), (code, retry), "{status} {body}");
    }

    #[track_caller]
    fn check_status(status: u16, body: &str, expected: u16) {
        let code = StatusCode::from_u16(status).expect("a status");
        let failure = Failure::status("m", code, body, None, None);
        assert_eq!(failure.error.http_status(), expected, "{status} {body}");
    }

    #[test]
    fn failure__each_status__has_the_clients_status() {
        for refused in [400, 413, 415, 422] {
            check_status(refused, r#"{"error":{"message":"no"}}"#, 400);
        }
        check_status(400, r#"{"error":{"code":"context_length_exceeded"}}"#, 400);
        check_status(500, r#"{"error":{"type":"exceed_context_size_error"}}"#, 400);
        for ours in [401, 403, 404, 405, 407, 410, 307, 500, 502, 520] {
            check_status(ours, "", 502);
        }
        check_status(404, r#"{"error":{"message":"The model `m` does not exist"}}"#, 404);
        for limited in [402, 429] {
            check_status(limited, "", 429);
        }
        check_status(503, "", 503);
        check_status(529, "", 503);
        check_status(504, "", 504);
        check_status(408, "", 504);
    }

    #[test]
    fn failure__wait_of_the_server__is_in_the_error() {
        let wait = |status, after| {
            Failure::status("m", status, "", Some(Duration::from_millis(after)), None)
                .error
                .to_body()
                .retry_after
        };
        assert_eq!(wait(StatusCode::TOO_MANY_REQUESTS, 6_200), Some(7));
        assert_eq!(wait(StatusCode::SERVICE_UNAVAILABLE, 1_000), Some(1));
        assert_eq!(wait(StatusCode::BAD_REQUEST, 1_000), None);
    }

    #[test]
    fn failure__each_status__has_its_code() {
        check(401, "", "MODEL_UNAUTHORIZED_ACCESS", Retry::Never);
        check(403, r#"{"error":{"message":"no"}}"#, "MODEL_UNAUTHORIZED_ACCESS", Retry::Never);
        check(404, "404 page not found", "MODEL_NOT_FOUND", Retry::Never);
        check(400, r#"{"error":{"code":"model_not_found"}}"#, "MODEL_NOT_FOUND", Retry::Never);
        check(429, "", "MODEL_QUOTA_EXCEEDED", Retry::Soon);
        check(429, r#"{"error":{"type":"insufficient_quota"}}"#, "MODEL_QUOTA_EXCEEDED", Retry::Never);
        check(402, "", "MODEL_QUOTA_EXCEEDED", Retry::Never);
        check(503, "", "MODEL_EXECUTION_FAILED", Retry::Soon);
        check(422, r#"{"detail":"no"}"#, "MODEL_EXECUTION_FAILED", Retry::Never);
        check(307, "", "MODEL_EXECUTION_FAILED", Retry::Never);
    }

    #[test]
    fn failure__context_too_long__is_recognized_for_every_server() {
        for (status, body) in [
            (
                400,
                r#"{"error":{"message":"This model's maximum context length is 16385 tokens.","code":"context_length_exceeded"}}"#,
            ),
            (
                400,
                r#"{"object":"error","message":"This model's maximum context length is 16384 tokens. However, you requested 122946 tokens","type":"BadRequestError","code":400}"#,
            ),
            (
                400,
                r#"{"error":{"message":"You passed 1015 input tokens and requested 10 output tokens. However, the model's context length is only 1024 tokens","code":400}}"#,
            ),
            (
                500,
                r#"{"error":{"code":500,"message":"the request exceeds the available context size.","type":"exceed_context_size_error"}}"#,
            ),
            (
                400,
                r#"{"error":{"message":"<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]"}}"#,
            ),
            (400, r#"{"error":"Input length 6491 exceeds context length 1500"}"#),
        ] {
            check(status, body, "MODEL_CONTEXT_LENGTH_EXCEEDED", Retry::Never);
        }
    }

    /// The text for the log, and the part of it that the client of a refused request reads.
    #[track_caller]
    fn check_text(body: &str, logged: &str, shown: &str) {
        let failure = |status| Failure::status("m", status, body, None, None);
        let refused = failure(StatusCode::BAD_REQUEST);
        assert_eq!(refused.what, format!("the server answered 400 Bad Request{logged}"), "{body}");
        let start = "Error occurred during execution of model: m: the model server answered";
        assert_eq!(refused.error.to_string(), format!("{start} 400 Bad Request{shown}"), "{body}");
        let broken = failure(StatusCode::BAD_GATEWAY);
        assert_eq!(broken.error.to_string(), format!("{start} 502 Bad Gateway"), "{body}");
    }

    #[test]
    fn server_text__refused_request__is_for_the_client_too() {
        check_text(r#"{"error":{"message":"bad tools"}}"#, ": bad tools", ": bad tools");
        check_text(r#"{"error":"bad tools"}"#, ": bad tools", ": bad tools");
        check_text(r#"[{"error":{"message":"bad tools"}}]"#, ": bad tools", ": bad tools");
        check_text("temperature is too high", ": temperature is too high", ": temperature is too high");
        check_text(
            r#"{"detail":[{"loc":["body","top_p"],"msg":"bad","input":"secret"}]}"#,
            r#": [{"loc":["body","top_p"],"msg":"bad","input":"secret"}]"#,
            ": body.top_p: bad",
        );
        check_text("<html>\n<body>", ": <html> <body>", "");
        check_text("", "", "");
        let long = "é".repeat(10_000);
        let what = Failure::status("m", StatusCode::BAD_REQUEST, &long, None, None).what;
        assert!(what.chars().count() < 600, "{}", what.len());
    }

    #[test]
    fn not_found__body_says_nothing_of_the_model__is_about_the_path() {
        let hint = |body| Failure::status("llama", StatusCode::NOT_FOUND, body, None, None).hint;
        for body in [
            "",
            "404 page not found",
            r#"{"detail":"Not Found"}"#,
            "<!DOCTYPE html><title>Nothing here</title>",
        ] {
            assert_eq!(hint(body), Hint::Path, "{body}");
        }
        for body in [
            r#"{"error":{"message":"The model `x` does not exist"}}"#,
            r#"{"error":"llama not found, try pulling it first"}"#,
        ] {
            assert_eq!(hint(body), Hint::Model, "{body}");
        }
    }

    #[test]
    fn failure__error_in_stream__is_classified_alike() {
        let check = |text: &str, code: &str, retry| {
            let failure = Failure::sent("m", &json::parse(text).expect("JSON"));
            assert_eq!((failure.error.code(), failure.retry), (code, retry), "{text}");
        };
        check(r#"{"message":"slow down","code":429}"#, "MODEL_QUOTA_EXCEEDED", Retry::Soon);
        check(r#"{"message":"oops"}"#, "MODEL_EXECUTION_FAILED", Retry::Soon);
        check(r#""oops""#, "MODEL_EXECUTION_FAILED", Retry::Soon);
        check(r#"{"message":"slow","type":"rate_limit_error"}"#, "MODEL_QUOTA_EXCEEDED", Retry::Soon);
        check(r#"{"message":"slow","status":"RESOURCE_EXHAUSTED"}"#, "MODEL_QUOTA_EXCEEDED", Retry::Soon);
        check(r#"{"message":"no","type":"authentication_error"}"#, "MODEL_UNAUTHORIZED_ACCESS", Retry::Never);
        check(r#"{"message":"no","type":"invalid_request_error"}"#, "MODEL_EXECUTION_FAILED", Retry::Never);
        check(r#"{"message":"busy","type":"overloaded_error"}"#, "MODEL_EXECUTION_FAILED", Retry::Soon);
        check(
            r#"{"message":"exceeds the available context size"}"#,
            "MODEL_CONTEXT_LENGTH_EXCEEDED",
            Retry::Never,
        );
    }
}
