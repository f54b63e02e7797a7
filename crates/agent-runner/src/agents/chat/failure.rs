//! What becomes of a failed model call: the error that the client sees, and whether it is worth a repetition.

use std::error::Error as StdError;
use std::time::Duration;

use agent_schemas::{Error, Json, json};
use reqwest::StatusCode;

use super::body::BodyError;

/// How much of a server's own words an error may hold, in characters.
const MAX_DETAIL: usize = 500;

/// A failed model call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) retry: Retry,
}

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    Never,
    /// Yes, after a while.
    Soon,
    /// Yes, after the time that the server names.
    After(Duration),
}

/// What a server says when a conversation is too long for the model, in lower case: OpenAI, vLLM (three versions),
/// llama.cpp (two), DashScope, LM Studio, Anthropic, TGI, Volcano.
const TOO_LONG: [&str; 11] = [
    "maximum context length",
    "context_length_exceeded",
    "context length is only",
    "longer than the maximum model length",
    "exceed_context_size",
    "exceeds the available context size",
    "range of input length should be",
    "exceeds context length",
    "exceed context limit",
    "prompt is too long",
    "exceeds the maximum length",
];

/// What a server says when money is needed rather than time.
const OUT_OF_QUOTA: [&str; 5] =
    ["insufficient_quota", "billing_hard_limit", "arrearage", "insufficient balance", "insufficient_balance"];

impl Failure {
    fn never(error: Error) -> Self {
        Failure { error, retry: Retry::Never }
    }

    fn execution(model: &str, detail: &str, retry: Retry) -> Self {
        let detail: String = detail.chars().take(MAX_DETAIL).collect();
        Failure { error: Error::ModelExecution { model_name: format!("{model}: {detail}") }, retry }
    }

    /// Something took longer than it may.
    pub(super) fn timeout(model: &str, limit: Duration, retry: Retry) -> Self {
        let timeout = limit.as_secs() + u64::from(limit.subsec_nanos() > 0);
        Failure { error: Error::ModelTimeout { model_name: model.to_owned(), timeout }, retry }
    }

    /// The stream ended before the model did.
    pub(super) fn cut(model: &str) -> Self {
        Failure::execution(model, "the stream ended early", Retry::Soon)
    }

    /// The model asks for more tool calls at once than anybody needs.
    pub(super) fn too_many_calls(model: &str, limit: usize) -> Self {
        Failure::execution(model, &format!("it called more than {limit} tools at once"), Retry::Never)
    }

    pub(super) fn body(model: &str, error: BodyError) -> Self {
        Failure::execution(model, &error.to_string(), Retry::Never)
    }

    /// The connection could not be made or broke.
    pub(super) fn transport(model: &str, error: &reqwest::Error, connect_limit: Duration) -> Self {
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => Failure::timeout(model, connect_limit, Retry::Soon),
            (true, false) => {
                let cause = root_cause(error);
                Failure::execution(model, &format!("the server cannot be reached: {cause}"), Retry::Soon)
            }
            (false, _) if error.is_body() || error.is_decode() => Failure::cut(model),
            (false, _) => {
                let cause = root_cause(error);
                Failure::execution(model, &format!("the connection broke: {cause}"), Retry::Soon)
            }
        }
    }

    /// The server answered with an HTTP error.
    pub(super) fn status(model: &str, status: StatusCode, body: &str, after: Option<Duration>) -> Self {
        let report = Report::new(&json::parse(body).unwrap_or_else(|_| body.into()));
        let detail = match report.message.trim() {
            "" => format!("the server answered {status}"),
            message => format!("the server answered {status}: {message}"),
        };
        report.failure(model, status.as_u16(), &detail, after)
    }

    /// The server sent an error in the place of a chunk.
    pub(super) fn sent(model: &str, error: &Json) -> Self {
        let report = Report::new(error);
        let status = report.code.parse().ok().filter(|code| (400..600).contains(code)).unwrap_or(0);
        report.failure(model, status, &format!("the server sent an error: {}", report.message), None)
    }
}

/// A server's own words about an error, in whichever of the usual forms.
struct Report {
    message: String,
    code: String,
    /// Message, code and type in lower case, to look for known words.
    all: String,
}

impl Report {
    fn new(json: &Json) -> Self {
        // Google wraps the object in an array, most servers in a member `error`.
        let json = json.as_array().and_then(<[Json]>::first).unwrap_or(json);
        let inner = json.get("error").filter(|inner| !inner.is_null()).unwrap_or(json);
        let member = |key: &str| match inner.get(key).or_else(|| json.get(key)) {
            Some(Json::String(text)) => text.clone(),
            None | Some(Json::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        let message = match (inner, member("message")) {
            (Json::String(text), _) => text.clone(),
            (_, message) if !message.is_empty() => message,
            _ => member("detail"),
        };
        let code = member("code");
        let all = format!("{message} {code} {}", member("type")).to_lowercase();
        Report { message, code, all }
    }

    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.all.contains(word))
    }

    fn failure(&self, model: &str, status: u16, detail: &str, after: Option<Duration>) -> Failure {
        let model_name = model.to_owned();
        let soon = after.map_or(Retry::Soon, Retry::After);
        match status {
            401 | 403 => Failure::never(Error::UnauthorizedModelAccess { model_name }),
            404 => Failure::never(Error::ModelNotFound { model_name }),
            402 => Failure::never(Error::ModelQuotaExceeded { model_name }),
            _ if self.says(&OUT_OF_QUOTA) => Failure::never(Error::ModelQuotaExceeded { model_name }),
            429 => Failure { error: Error::ModelQuotaExceeded { model_name }, retry: soon },
            _ if self.says(&TOO_LONG) => Failure::never(Error::ModelContextLengthExceeded { model_name }),
            _ if self.code == "model_not_found" => Failure::never(Error::ModelNotFound { model_name }),
            // An error without a status came with `200 OK`: the server is there and has failed.
            0 | 408 | 500.. => Failure::execution(model, detail, soon),
            _ => Failure::execution(model, detail, Retry::Never),
        }
    }
}

/// The innermost cause, if the operating system gives it: unlike the others, it names no URL. Those of TLS may name hosts, so
/// they are only logged.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if cause.is::<std::io::Error>() {
        return cause.to_string();
    }
    tracing::warn!(error = %cause, "the connection to a model failed");
    "see the server's log".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, code: &str, retry: Retry) {
        let status = StatusCode::from_u16(status).expect("a status");
        let failure = Failure::status("m", status, body, None);
        assert_eq!((failure.error.code(), failure.retry), (code, retry), "{status} {body}");
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

    #[track_caller]
    fn check_text(body: &str, expected: &str) {
        let failure = Failure::status("m", StatusCode::BAD_REQUEST, body, None);
        let expected = format!(
            "Error occurred during execution of model: m: the server answered 400 Bad Request{expected}"
        );
        assert_eq!(failure.error.to_string(), expected, "{body}");
    }

    #[test]
    fn failure__server_message__is_passed_on() {
        check_text(r#"{"error":{"message":"bad tools"}}"#, ": bad tools");
        check_text(r#"{"error":"bad tools"}"#, ": bad tools");
        check_text(r#"[{"error":{"message":"bad tools"}}]"#, ": bad tools");
        check_text(r#"{"detail":[{"msg":"bad"}]}"#, r#": [{"msg":"bad"}]"#);
        check_text("<html>", ": <html>");
        check_text("", "");
        let long = "x".repeat(10_000);
        let error = Failure::status("m", StatusCode::BAD_REQUEST, &long, None).error.to_string();
        assert!(error.len() < 600, "{}", error.len());
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
        check(
            r#"{"message":"exceeds the available context size"}"#,
            "MODEL_CONTEXT_LENGTH_EXCEEDED",
            Retry::Never,
        );
    }
}
