//! What decides about requests, what answers those that nothing else does, and what agents see of their request.

use std::ops::ControlFlow;

use agent_runner::{RunHandle, agent_fn};
use agent_server::{AgentApp, AgentAppBuilder, ApiError, Guard, HttpConfig};
use async_trait::async_trait;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::app::{Answer, router, send};

/// Lets requests pass that mention the word.
struct Word(bool);

#[async_trait]
impl Guard for Word {
    fn is_needed(&self) -> bool {
        self.0
    }

    async fn check(&self, request: &Request<Bytes>) -> Result<ControlFlow<Response, HeaderMap>, ApiError> {
        if !request.body().windows(4).any(|word| word == b"word") {
            return Ok(ControlFlow::Break((StatusCode::UNAUTHORIZED, "say the word").into_response()));
        }
        let headers = [("x-run-id", "hidden"), ("set-cookie", "a=1"), ("set-cookie", "b=2")];
        let headers =
            headers.map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)));
        Ok(ControlFlow::Continue(headers.into_iter().collect()))
    }
}

/// An agent that says which header and query its request had.
fn app() -> AgentAppBuilder {
    let agent = agent_fn(|run: RunHandle| async move {
        let http = run.http().expect("it comes from a request");
        let header = http.headers.iter().find(|(name, _)| name == "x-own");
        run.say(&format!("{:?} {}", header.map(|(_, value)| value), http.query));
        Ok(())
    });
    AgentApp::builder("test").agent("told", agent)
}

async fn post(app: AgentAppBuilder, path: &str, text: &str) -> Answer {
    let body = format!(
        r#"{{"input":[{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}],"stream":false}}"#
    );
    let request =
        Request::post(path).header("host", "localhost").header("x-own", HeaderValue::from_static("1"));
    send(&router(app), request.body(Body::from(body)).expect("a request")).await
}

#[tokio::test]
async fn guard__refuses__and_nothing_else_happens() {
    let answer = post(app().guard(Word(true)), "/process", "hello").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::UNAUTHORIZED, "say the word"));
    assert!(answer.header("x-run-id").is_none());
}

#[tokio::test]
async fn guard__lets_pass__the_body_is_whole_and_its_headers_replace_others() {
    let answer = post(app().guard(Word(true)), "/process", "word").await;
    assert_eq!((answer.status, answer.header("x-run-id")), (StatusCode::OK, Some("hidden")));
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
    assert_eq!(answer.json()["status"], "completed");
}

#[tokio::test]
async fn guard__that_is_not_needed_or_for_a_health_check__is_not_asked() {
    assert_eq!(post(app().guard(Word(false)), "/process", "hello").await.status, StatusCode::OK);
    let health = Request::get("/health").header("host", "localhost").body(Body::empty()).expect("a request");
    assert_eq!(send(&router(app().guard(Word(true))), health).await.status, StatusCode::OK);
}

#[tokio::test]
async fn fallback__path_that_nothing_has__answers_within_the_limits() {
    let mut http = HttpConfig::default();
    http.body_limit_bytes = 200;
    let app = || {
        app().http(http.clone()).guard(Word(true)).fallback(async |request: Request<Bytes>| {
            let (path, length) = (request.uri().path().to_owned(), request.body().len());
            if path == "/none" {
                Err(ApiError::NotFound)
            } else {
                Ok(format!("{path} {length}").into_response())
            }
        })
    };
    let answer = post(app(), "/own", "hello").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "/own 85"));
    assert_eq!(post(app(), "/none", "hello").await.status, StatusCode::NOT_FOUND);
    assert_eq!(post(app(), "/own", &"x".repeat(200)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn run__of_a_request__knows_its_headers_and_query() {
    let answer = post(app(), "/process?a=%20b", "hello").await;
    assert_eq!(answer.json()["output"][0]["content"][0]["text"], "Some(\"1\") a=%20b", "{answer:?}");
}
