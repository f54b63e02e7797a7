//! A user's own protocol: its format of errors, its stream, its answer.

use agent_runner::{AgentError, RunHandle, agent_fn};
use agent_schemas::{AgentRequest, ErrorBody, Event, Message};
use agent_server::protocol::{
    Endpoint, ErrorInfo, FrameWriter, JsonRequest, OpenApiPart, Protocol, ProtocolContext, RunSpec,
    Translator,
};
use agent_server::{AgentApp, AgentAppBuilder, ApiError, HttpConfig};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use crate::app::{Answer, call, echo, get, router, send};

/// Answers with the texts of messages; with `?stream`, as frames.
#[derive(Debug)]
struct Plain;

impl Protocol for Plain {
    fn owns_path(&self, path: &str) -> bool {
        path.starts_with("/plain/")
    }

    fn routes(&self, context: ProtocolContext) -> Router {
        Router::new()
            .route("/plain/say", post(say))
            .route("/plain/panics", post(async || -> StatusCode { panic!("a handler's own fault") }))
            .with_state(context)
    }

    fn error_response(&self, error: &ErrorInfo) -> Response {
        let parameter = error.parameter.as_deref().unwrap_or("-");
        (StatusCode::IM_A_TEAPOT, format!("{} {parameter}", error.code)).into_response()
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        vec![Endpoint::new("plain", "/plain/say")]
    }

    fn openapi(&self) -> OpenApiPart {
        OpenApiPart::parse(r#"{"paths": {"/plain/say": {"post": {"summary": "Says it plainly"}}}}"#)
    }
}

async fn say(State(context): State<ProtocolContext>, request: JsonRequest) -> Result<Response, ApiError> {
    let mut agent_request = AgentRequest::new(vec![Message::user("hi")]);
    match request.body().get("model") {
        None => {}
        Some(model) => match model.as_str() {
            Some(model) => agent_request.model = Some(model.to_owned()),
            None => return Err(ErrorInfo::at_parameter("model", "expected a string").into()),
        },
    }
    let mut spec = RunSpec::new(agent_request, context.run_options().clone());
    spec.is_stream = request.parts().uri.query() == Some("stream");
    let is_stream = spec.is_stream;
    let run = context.start(&request, spec).await?;
    if request.body().contains_key("look") {
        return context.snapshot(run.id(), Texts::default()).await;
    }
    Ok(if is_stream {
        context.stream(&run, request.parts(), Texts::default())
    } else {
        context.collect(&run, Texts::default()).await
    })
}

#[derive(Default)]
struct Texts(String);

impl Translator for Texts {
    fn on_event(&mut self, event: &Event, frames: &mut FrameWriter) {
        match event {
            Event::Message(message) if message.status.is_final() => {
                self.0.push_str(&message.full_text());
                frames.push_named("said", &message.full_text());
            }
            Event::Response(response) if response.status.is_final() => frames.push_text("END"),
            _ => {}
        }
    }

    fn on_abort(&mut self, error: &ErrorBody, frames: &mut FrameWriter) {
        frames.push_text(&error.code);
    }

    fn answer(&self) -> Response {
        self.0.clone().into_response()
    }
}

fn app() -> AgentAppBuilder {
    let agent = agent_fn(|run: RunHandle| async move {
        run.say("one");
        run.say("two");
        Ok::<_, AgentError>(())
    });
    AgentApp::builder("test").agent("two", agent).protocol(Plain)
}

async fn plain(router: &Router, path: &str, key: Option<&str>, body: &str) -> Answer {
    let mut request =
        Request::post(path).header("host", "localhost").header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    send(router, request.body(Body::from(body.to_owned())).expect("a request")).await
}

#[tokio::test]
async fn translator__stream_and_answer__are_the_same() {
    let router = router(app());
    let answer = plain(&router, "/plain/say", None, "{}").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "onetwo"));
    let stream = plain(&router, "/plain/say?stream", None, "{}").await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(stream.body, "event: said\ndata: \"one\"\n\nevent: said\ndata: \"two\"\n\ndata: END\n\n");
    assert!(stream.header("x-run-id").is_some_and(|id| id.starts_with("run_")));
    let look = plain(&router, "/plain/say", None, r#"{"look":true}"#).await;
    assert_eq!(look.body, "onetwo", "the agent has ended when it was polled once");
}

#[tokio::test]
async fn idempotency_key__repeated__gives_same_run() {
    let router = router(app());
    let first = plain(&router, "/plain/say", Some("k"), "{}").await;
    let again = plain(&router, "/plain/say", Some("k"), "{}").await;
    assert_eq!(first.header("x-run-id"), again.header("x-run-id"));
    let other = plain(&router, "/plain/say", Some("k"), r#"{"model":"x"}"#).await;
    assert_eq!(other.body, "IDEMPOTENCY_KEY_REUSED -");
}

#[tokio::test]
async fn error__any_failure__has_the_protocols_format() {
    let mut http = HttpConfig::default();
    http.body_limit_bytes = 100;
    let router = router(app().http(http));
    let long = format!(r#"{{"model":"{}"}}"#, "x".repeat(100));
    let bodies = [
        ("{", "MALFORMED_JSON -"),
        ("[]", "INVALID_REQUEST -"),
        ("", "INVALID_REQUEST -"),
        (&long, "PAYLOAD_TOO_LARGE -"),
        (r#"{"model":1}"#, "INVALID_PARAMETER model"),
    ];
    for (body, expected) in bodies {
        let answer = plain(&router, "/plain/say", None, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::IM_A_TEAPOT, expected), "{body}");
    }
    assert_eq!(plain(&router, "/plain/nothing", None, "{}").await.body, "NOT_FOUND -");
    assert_eq!(plain(&router, "/plain/panics", None, "{}").await.body, "INTERNAL_ERROR -");
    let method = call(&router, Method::GET, "/plain/say").await;
    assert_eq!((method.body.as_str(), method.header("allow")), ("METHOD_NOT_ALLOWED -", Some("POST")));
    let strange = Request::post("/plain/say").header("host", "elsewhere.example");
    let strange = send(&router, strange.body(Body::from("{}")).expect("a request")).await;
    assert_eq!(strange.body, "HOST_NOT_ALLOWED -");
    assert!(strange.header("x-request-id").is_some());
}

#[tokio::test]
async fn protocol__served__is_listed_and_described() {
    for (app, is_served) in [(app(), true), (echo(), false)] {
        let router = router(app);
        let root = get(&router, "/").await.json();
        let document = get(&router, "/openapi.json").await.json();
        assert_eq!(root["endpoints"]["plain"] == "/plain/say", is_served);
        assert_eq!(document["paths"]["/plain/say"]["post"]["summary"] == "Says it plainly", is_served);
        assert!(document["paths"]["/process"].is_object(), "the server's own routes are described, too");
    }
}

#[tokio::test]
async fn error__other_path__has_the_servers_format() {
    let router = router(app());
    let answer = plain(&router, "/nothing", None, "{}").await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (StatusCode::NOT_FOUND, &"NOT_FOUND".into())
    );
}

#[test]
fn build__protocols_collide__names_both() {
    let twice = app().protocol(Plain).build().expect_err("the same routes").to_string();
    assert!(twice.starts_with("the protocol Plain has the route "), "{twice}");
    assert!(twice.ends_with(", which the protocol Plain already has"), "{twice}");
    let mut http = HttpConfig::default();
    http.endpoint_path = "/plain/agent".to_owned();
    let claimed = app().http(http).build().expect_err("the protocol's path").to_string();
    let expected =
        "http.endpoint_path '/plain/agent' has the route /plain/agent, which the protocol Plain already has";
    assert_eq!(claimed, expected);
    let own = Router::new().route("/plain/say", post(async || ""));
    let own = app().routes(own).build().expect_err("a route of the protocol").to_string();
    assert_eq!(own, "the application has the route POST /plain/say, which the protocol Plain already has");
}
