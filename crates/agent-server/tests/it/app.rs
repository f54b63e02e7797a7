//! Helpers of the tests: applications, and requests to their routers.

use agent_runner::agents::Echo;
use agent_server::{AgentApp, AgentAppBuilder};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("headers are text"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The last event of a stream.
    pub(crate) fn last_event(&self) -> Value {
        let last = self.body.lines().rev().find_map(|line| line.strip_prefix("data: "));
        serde_json::from_str(last.expect("an event")).expect("events are JSON")
    }
}

pub(crate) fn echo() -> AgentAppBuilder {
    AgentApp::builder("test").agent("echo", Echo::default())
}

pub(crate) fn router(app: AgentAppBuilder) -> Router {
    app.build().expect("built").router()
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("routers answer");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("the body ends well");
    let body = String::from_utf8(bytes.to_vec()).expect("bodies are text");
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(crate) async fn call(router: &Router, method: Method, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    send(router, request.body(Body::empty()).expect("a request")).await
}

pub(crate) async fn get(router: &Router, path: &str) -> Answer {
    call(router, Method::GET, path).await
}

/// A run with this text; `fields` are additional members of the request, such as `,"stream":false`.
pub(crate) async fn process(router: &Router, path: &str, text: &str, fields: &str) -> Answer {
    let text = Value::from(text);
    let body =
        format!(r#"{{"input":[{{"role":"user","content":[{{"type":"text","text":{text}}}]}}]{fields}}}"#);
    let request = Request::post(path).header("host", "localhost").header("content-type", "application/json");
    send(router, request.body(body.into()).expect("a request")).await
}
