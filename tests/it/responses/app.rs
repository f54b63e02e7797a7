//! Applications without sockets, with reproducible ids and times.

use std::sync::Arc;
use std::time::Duration;

use agent_protocol_openai::OpenAi;
use agent_runner::{Agent, Services};
use agent_schemas::{Message, RunId};
use agent_server::AgentApp;
use agent_services::StoreContext;
use agent_services::clock::{CountingIds, ManualClock};
use agent_services::run::{InMemoryRunStore, Retention};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, request};
use serde_json::Value;
use tower::ServiceExt;

/// The fixed time.
const NOW: i64 = 1_800_000_000;

pub(crate) fn app(agent: impl Agent) -> AgentApp {
    app_at(agent, &Arc::new(ManualClock::at(NOW)))
}

/// An application with other services.
pub(crate) fn app_with(agent: impl Agent, services: Services) -> AgentApp {
    let builder = AgentApp::builder("test").agent("scripted", agent).protocol(OpenAi);
    builder.services(services).build().expect("built")
}

fn app_at(agent: impl Agent, clock: &Arc<ManualClock>) -> AgentApp {
    let mut services = Services::in_memory();
    services.ids = Arc::new(CountingIds::default());
    services.clock = Arc::clone(clock) as _;
    let context = StoreContext::default().with_clock(Arc::clone(clock) as _);
    services.runs = Arc::new(InMemoryRunStore::new(context));
    app_with(agent, services)
}

/// An application in which time passes.
pub(crate) struct Aging {
    app: AgentApp,
    clock: Arc<ManualClock>,
}

impl Aging {
    pub(crate) fn new(agent: impl Agent) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        Aging { app: app_at(agent, &clock), clock }
    }

    pub(crate) fn client(&self) -> Client {
        Client::of(&self.app)
    }

    /// The whole conversation up to the end of a run.
    pub(crate) async fn context(&self, run: &str) -> Vec<Message> {
        let context = self.app.runner().context(&RunId::new(run), |_| true).await;
        context.expect("a context").messages().to_vec()
    }

    /// Lets time pass, and deletes everything that is not kept longer.
    pub(crate) async fn age(&self, time: Duration) {
        self.clock.advance(time.as_secs().try_into().expect("not that long"));
        self.app.runner().services().runs.sweep().await.expect("swept");
    }
}

/// How long logs are kept.
pub(crate) const LOG_TIME: Duration = Retention::IN_MEMORY.age;

/// A router with one agent, and requests to it.
pub(crate) struct Client(Router);

impl Client {
    pub(crate) fn new(agent: impl Agent) -> Self {
        Client(app(agent).router())
    }

    pub(crate) fn of(app: &AgentApp) -> Self {
        Client(app.router())
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: &str) -> (StatusCode, String) {
        self.send(request(method, path), body).await
    }

    /// Requests a response, with an idempotency key derived from the request.
    pub(crate) async fn repeatable(&self, body: &str) -> (StatusCode, String) {
        let key = format!("key of {body}");
        self.send(request(Method::POST, "/v1/responses").header("idempotency-key", key), body).await
    }

    async fn send(&self, request: request::Builder, body: &str) -> (StatusCode, String) {
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let answer = self.0.clone().oneshot(request).await.expect("routers answer");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("the body ends well");
        (status, String::from_utf8(bytes.to_vec()).expect("bodies are text"))
    }

    /// The same for a JSON answer.
    pub(crate) async fn json(&self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let (status, body) = self.call(method, path, body).await;
        let json = serde_json::from_str(&body).unwrap_or_else(|_| panic!("no JSON: {body}"));
        (status.as_u16(), json)
    }

    /// Creates a response and returns its stream.
    pub(crate) async fn stream(&self, body: &str) -> String {
        let (status, stream) = self.call(Method::POST, "/v1/responses", body).await;
        assert_eq!(status, StatusCode::OK, "{stream}");
        stream
    }

    /// Creates a response and waits for it.
    pub(crate) async fn create(&self, body: &str) -> Value {
        let (status, response) = self.json(Method::POST, "/v1/responses", body).await;
        assert_eq!(status, 200, "{response}");
        agent_tests::responses::check_response(&response)
            .unwrap_or_else(|fault| panic!("{fault}: {response}"));
        response
    }
}

fn request(method: Method, path: &str) -> request::Builder {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", "localhost").header("content-type", "application/json");
    // A response that failed is compared like any other.
    request.header("prefer", "return=representation")
}

/// The shortest request for a stream.
pub(crate) const STREAM: &str = r#"{"input":"hi","stream":true}"#;
