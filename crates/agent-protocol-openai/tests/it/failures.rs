//! What a client sees of a run that failed, at once and when it asks again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_protocol_openai::OpenAi;
use agent_runner::{RunHandle, agent_fn};
use agent_schemas::{Error, ErrorBody};
use agent_server::AgentApp;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::{Value, json};
use tower::ServiceExt;

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A server whose agent fails with this error.
fn failing(error: ErrorBody) -> Router {
    let agent = agent_fn(move |_: RunHandle| {
        let error = Error::from(error.clone());
        async move { Err(error.into()) }
    });
    AgentApp::builder("test").agent("failing", agent).protocol(OpenAi).build().expect("built").router()
}

async fn send(router: &Router, method: &str, path: &str, header: (&str, &str), body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("content-type", "application/json").header(header.0, header.1);
    let request = request.body(Body::from(body.to_string())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("routers answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("the body ends well");
    Answer { status, headers, body: String::from_utf8(body.to_vec()).expect("bodies are text") }
}

async fn create(router: &Router, header: (&str, &str), more: Value) -> Answer {
    let mut body = json!({ "model": "m", "input": "hi" });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    send(router, "POST", "/v1/responses", header, &body).await
}

const NO_HEADER: (&str, &str) = ("x-none", "");

/// A rate limit of a model, with the time to wait.
fn rate_limit() -> ErrorBody {
    ErrorBody::new("MODEL_QUOTA_EXCEEDED", "try again in 7 s").with_retry_after(7)
}

#[tokio::test]
async fn failed_response__without_a_stream__is_an_http_error() {
    let chat = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    for (error, status, kind, code, failed_code) in [
        (rate_limit(), 429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_exceeded"),
        (
            ErrorBody::new("MODEL_CONTEXT_LENGTH_EXCEEDED", "m"),
            400,
            "invalid_request_error",
            "context_length_exceeded",
            "context_length_exceeded",
        ),
        (
            ErrorBody::new("MODEL_EXECUTION_FAILED", "m").with_status(400),
            400,
            "invalid_request_error",
            "model_execution_failed",
            "invalid_prompt",
        ),
        (
            ErrorBody::new("MODEL_UNAUTHORIZED_ACCESS", "m"),
            502,
            "server_error",
            "model_unauthorized_access",
            "server_error",
        ),
        (ErrorBody::new("MODEL_TIMEOUT", "m"), 504, "server_error", "model_timeout", "server_error"),
        (ErrorBody::new("MINE", "m").with_status(409), 409, "invalid_request_error", "mine", "server_error"),
    ] {
        let router = failing(error.clone());
        let answers = [
            create(&router, NO_HEADER, json!({})).await,
            send(&router, "POST", "/v1/chat/completions", NO_HEADER, &chat).await,
        ];
        for answer in answers {
            let body = answer.json();
            assert_eq!((answer.status, &body["error"]["type"]), (status, &json!(kind)), "{error:?}: {body}");
            assert_eq!(body["error"]["code"], code, "{error:?}");
            assert_eq!(answer.header("retry-after").is_some(), error.retry_after.is_some(), "{error:?}");
        }
        let stream = create(&router, NO_HEADER, json!({ "stream": true })).await;
        assert_eq!(stream.status, 200);
        let failed =
            stream.body.lines().find_map(|line| line.strip_prefix("data: {\"type\":\"response.failed\""));
        assert!(
            failed.is_some_and(|event| event.contains(&format!("\"code\":\"{failed_code}\""))),
            "{}",
            stream.body
        );
    }
}

#[tokio::test]
async fn failed_response__stored__repeats_its_error_and_is_read_as_failed() {
    let router = failing(rate_limit());
    let key = ("idempotency-key", "k-1");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = create(&router, key, json!({})).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")), "{}", answer.body);
        assert_eq!(answer.header("x-should-retry"), None);
        ids.push(answer.header("x-run-id").expect("a run").to_owned());
    }
    // The second request is a further attempt; the first one stays.
    assert_ne!(ids[0], ids[1]);
    let path = format!("/v1/responses/{}", ids[0].replace("run_", "resp_"));
    let read = send(&router, "GET", &path, NO_HEADER, &Value::Null).await;
    let response = read.json();
    assert_eq!((read.status, &response["status"]), (200, &json!("failed")), "{response}");
    assert_eq!(response["error"], json!({ "code": "rate_limit_exceeded", "message": "try again in 7 s" }));
}

#[tokio::test]
async fn model_not_found__failed_response__has_openais_code() {
    let error = ErrorBody::new("MODEL_NOT_FOUND", "m");
    for (error, status, kind, failed_code) in [
        (error.clone(), 404, "invalid_request_error", "model_not_found"),
        (error.with_status(502), 502, "server_error", "server_error"),
    ] {
        let router = failing(error);
        let answer = create(&router, NO_HEADER, json!({})).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["error"]["type"]), (status, &json!(kind)), "{body}");
        assert_eq!(body["error"]["code"], "model_not_found");
        let stream = create(&router, NO_HEADER, json!({ "stream": true })).await;
        assert!(stream.body.contains(&format!("\"error\":{{\"code\":\"{failed_code}\"")), "{}", stream.body);
    }
}

#[tokio::test]
async fn refused_run__repeated_with_its_key__is_tried_again() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&attempts);
    let agent = agent_fn(move |run: RunHandle| {
        let attempt = count.fetch_add(1, Ordering::Relaxed);
        async move {
            match attempt {
                0 => Err(Error::from(rate_limit()).into()),
                1 => Err(Error::StoreUnavailable {}.into()),
                _ => {
                    run.say("done");
                    Ok(())
                }
            }
        }
    });
    let app = AgentApp::builder("test").agent("failing", agent).protocol(OpenAi).build().expect("built");
    let router = app.router();
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    let mut answers = Vec::new();
    for _ in 0..4 {
        let key = ("idempotency-key", "k");
        answers.push(send(&router, "POST", "/v1/chat/completions", key, &body).await);
    }
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [429, 503, 200, 200]);
    assert_eq!(answers[2].body, answers[3].body);
    assert_eq!(attempts.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn failed_run__repeated_with_its_key__is_not_tried_again() {
    let attempts = Arc::new(AtomicUsize::new(0));
    for (error, says) in [(rate_limit(), true), (ErrorBody::new("MODEL_TIMEOUT", "m"), false)] {
        let count = Arc::clone(&attempts);
        let agent = agent_fn(move |run: RunHandle| {
            count.fetch_add(1, Ordering::Relaxed);
            let error = Error::from(error.clone());
            async move {
                if says {
                    run.say("half");
                }
                Err(error.into())
            }
        });
        let app = AgentApp::builder("test").agent("failing", agent).protocol(OpenAi).build().expect("built");
        let router = app.router();
        for _ in 0..2 {
            create(&router, ("idempotency-key", "k"), json!({})).await;
        }
        assert_eq!(attempts.swap(0, Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn failed_response__client_prefers_it__is_the_response() {
    let router = failing(rate_limit());
    for preference in ["return=representation", "respond-async, Return = representation;x=1"] {
        let answer = create(&router, ("prefer", preference), json!({})).await;
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("failed")), "{preference}");
    }
    assert_eq!(create(&router, ("prefer", "return=minimal"), json!({})).await.status, 429);
    // Upstream's clients read failures from the response.
    let body = json!({ "input": "hi" });
    let answer = send(&router, "POST", "/compatible-mode/v1/responses", NO_HEADER, &body).await;
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("failed")));
}

#[tokio::test]
async fn failed_run__native_protocol__has_status_and_wait_too() {
    let router = failing(rate_limit());
    for _ in 0..2 {
        let body = json!({ "input": [], "stream": false });
        let answer = send(&router, "POST", "/process", ("idempotency-key", "k"), &body).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")), "{}", answer.body);
        assert_eq!(answer.json()["error"]["code"], "MODEL_QUOTA_EXCEEDED");
    }
}
