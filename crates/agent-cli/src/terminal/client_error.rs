//! Errors between this program and a server. Each is one sentence for the user.

use std::error::Error;
use std::io;

use agent_schemas::{Json, json};
use reqwest::{StatusCode, Url};

use super::describe::shorten;

/// How many bytes of a server's error message are shown.
const SHOWN: usize = 500;

/// Why a request to a server failed. `Display` is a sentence for the user.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ClientError(String);

impl ClientError {
    /// The server could not be reached, or the connection broke.
    pub(crate) fn transport(url: &Url, error: &reqwest::Error) -> Self {
        let mut cause: &dyn Error = error;
        let mut refused = false;
        while let Some(source) = cause.source() {
            cause = source;
            let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
            refused |= kind == Some(io::ErrorKind::ConnectionRefused);
        }
        let place = place(url);
        ClientError(if refused {
            format!("nothing is listening at {place} (connection refused)")
        } else if error.is_connect() {
            format!("could not connect to {place}: {cause}")
        } else {
            format!("lost the connection to {place}: {cause}")
        })
    }

    /// The server answered with an error.
    pub(super) fn status(url: &Url, status: StatusCode, retry_after: Option<&str>, body: &str) -> Self {
        let place = place(url);
        let said = said(body).map(|said| format!(": {said}")).unwrap_or_default();
        let again = match retry_after {
            Some(seconds) if seconds.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("; try again in {seconds} s")
            }
            Some(date) => format!("; try again after {}", shorten(date, SHOWN)),
            None => String::new(),
        };
        ClientError(match status {
            StatusCode::UNAUTHORIZED => {
                format!("the server requires authentication ({status}){said}; set AGENT_SERVER_TOKEN")
            }
            StatusCode::FORBIDDEN => format!("the server refused the request ({status}){said}"),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                format!("there is no agent at {place} ({status})")
            }
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => {
                format!("the server rejected the request ({status}){said}")
            }
            StatusCode::TOO_MANY_REQUESTS => format!("the server is busy ({status}){said}{again}"),
            StatusCode::SERVICE_UNAVAILABLE => format!("the server is unavailable ({status}){said}{again}"),
            _ => format!("the server responded with {status}{said}{again}"),
        })
    }

    /// The server's answer is not a stream of events.
    pub(super) fn content_type(url: &Url, content_type: &str) -> Self {
        let place = place(url);
        let found = if content_type.is_empty() { "an unknown content type" } else { content_type };
        ClientError(format!("{place} responded with {} instead of a stream of events", shorten(found, 100)))
    }

    /// The server sent data that is not an event.
    pub(crate) fn event(why: impl std::fmt::Display) -> Self {
        ClientError(format!("could not read an event from the server: {why}"))
    }

    /// The stream ended early.
    pub(crate) fn cut() -> Self {
        ClientError("the stream ended before the run did".to_owned())
    }
}

/// An address without the parts that may hold secrets.
fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// The message in an error's body: in our format, in a similar one, or as short plain text.
fn said(body: &str) -> Option<String> {
    let Ok(json) = json::parse(body) else {
        let is_text = !body.trim().is_empty() && !body.trim_start().starts_with('<');
        return is_text.then(|| shorten(body, SHOWN));
    };
    let message = |json: &Json| json.get("message").and_then(Json::as_str).map(str::to_owned);
    let faults = json.get("detail").and_then(Json::as_array).and_then(|faults| faults.first());
    let said = faults
        .and_then(fault)
        .or_else(|| json.get("error").and_then(message))
        .or_else(|| json.get("error")?.as_str().map(str::to_owned))
        .or_else(|| json.get("detail")?.as_str().map(str::to_owned))
        .or_else(|| message(&json));
    said.map(|said| shorten(&said, SHOWN))
}

/// A fault with its location, such as `body.input.0.role: expected …`.
fn fault(fault: &Json) -> Option<String> {
    let step = |step: &Json| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
    let location: Vec<String> = fault.get("loc")?.as_array()?.iter().map(step).collect();
    Some(format!("{}: {}", location.join("."), fault.get("msg")?.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, retry_after: Option<&str>, body: &str, expected: &str) {
        let url = Url::parse("http://127.0.0.1:8080/process?key=secret").expect("a URL");
        let status = StatusCode::from_u16(status).expect("a status");
        assert_eq!(ClientError::status(&url, status, retry_after, body).to_string(), expected);
    }

    #[test]
    fn client_error__each_kind__reads_as_a_sentence() {
        check(404, None, "{}", "there is no agent at http://127.0.0.1:8080/process (404 Not Found)");
        check(
            422,
            None,
            r#"{"detail":[{"type":"t","loc":["body","input",0,"role"],"msg":"expected a role","input":1}],"error":{"code":"X","message":"other"}}"#,
            "the server rejected the request (422 Unprocessable Entity): body.input.0.role: expected a role",
        );
        check(
            429,
            Some("1"),
            r#"{"detail":"d","error":{"code":"TOO_MANY_RUNS","message":"it works on 3 runs"}}"#,
            "the server is busy (429 Too Many Requests): it works on 3 runs; try again in 1 s",
        );
        check(
            503,
            Some("Wed, 21 Oct 2026 07:28:00 GMT"),
            r#"{"detail":"later"}"#,
            "the server is unavailable (503 Service Unavailable): later; try again after Wed, 21 Oct 2026 07:28:00 GMT",
        );
        check(401, None, "", "the server requires authentication (401 Unauthorized); set AGENT_SERVER_TOKEN");
        check(502, None, "<html>", "the server responded with 502 Bad Gateway");
        check(500, None, "oh\nno", "the server responded with 500 Internal Server Error: oh no");
    }
}
