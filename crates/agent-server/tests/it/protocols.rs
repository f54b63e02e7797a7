//! A protocol of a user's own: its shape of errors, its stream, its answer.

use agent_runner::{AgentError, RunHandle, agent_fn};
use agent_schemas::{AgentRequest, ErrorBody, Event, Message};
use agent_server::protocol::{Failure, Frames, Order, Protocol, Server, Translator};
use agent_server::{AgentApp, AgentAppBuilder, ApiError, HttpConfig};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use crate::app::{Answer, call, router, send};

/// Answers with the texts of messages; `?stream` gives them as frames.
#[derive(Debug)]
struct Plain;

impl Protocol for Plain {
    fn speaks_at(&self, path: &str) -> bool {
        path.starts_with("/plain/")
    }

    fn routes(&self, server: Server) -> Router {
        Router::new()
            .route("/plain/say", post(say))
            .route("/plain/panics", post(async || -> StatusCode { panic!("a handler's own fault") }))
            .with_state(server)
    }

    fn failure(&self, failure: &Failure) -> Response {
        let parameter = failure.parameter.as_deref().unwrap_or("-");
        (StatusCode::IM_A_TEAPOT, format!("{} {parameter}", failure.code)).into_response()
    }
}

async fn say(State(server): State<Server>, request: Request) -> Result<Response, ApiError> {
    let call = server.read(request).await?;
    let mut order = Order::new(AgentRequest::new(vec![Message::user("hi")]));
    order.is_stream = call.parts().uri.query() == Some("stream");
    match call.body().get("model") {
        None => {}
        Some(model) => match model.as_str() {
            Some(model) => order.request.model = Some(model.to_owned()),
            None => return Err(Failure::of_parameter("model", "expected a text").into()),
        },
    }
    let is_stream = order.is_stream;
    let run = server.start(&call, order).await?;
    if call.body().contains_key("look") {
        return server.so_far(run.id(), Texts::default()).await;
    }
    Ok(if is_stream {
        server.stream(&run, call.parts(), Texts::default())
    } else {
        server.whole(&run, Texts::default()).await
    })
}

#[derive(Default)]
struct Texts(String);

impl Translator for Texts {
    fn on_event(&mut self, event: &Event, frames: &mut Frames) {
        match event {
            Event::Message(message) if message.status.is_final() => {
                self.0.push_str(&message.full_text());
                frames.push_named("said", &message.full_text());
            }
            Event::Response(response) if response.status.is_final() => frames.push_text("END"),
            _ => {}
        }
    }

    fn on_cut(&mut self, error: &ErrorBody, frames: &mut Frames) {
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
async fn a_stream_and_an_answer_come_from_the_same_translator() {
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
async fn a_repeated_key_gives_the_same_run() {
    let router = router(app());
    let first = plain(&router, "/plain/say", Some("k"), "{}").await;
    let again = plain(&router, "/plain/say", Some("k"), "{}").await;
    assert_eq!(first.header("x-run-id"), again.header("x-run-id"));
    let other = plain(&router, "/plain/say", Some("k"), r#"{"model":"x"}"#).await;
    assert_eq!(other.body, "IDEMPOTENCY_KEY_REUSED -");
}

#[tokio::test]
async fn whatever_goes_wrong_is_said_in_the_protocols_shape() {
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
async fn openais_paths_can_be_ones_own() {
    let own = Router::new().route("/v1/responses", post(async || "mine"));
    let router = router(app().without_openai().routes(own));
    assert_eq!(plain(&router, "/v1/responses", None, "{}").await.body, "mine");
    let answer = plain(&router, "/v1/conversations", None, "{}").await;
    assert_eq!(answer.json()["error"]["code"], "NOT_FOUND", "in the server's own shape");
}

#[tokio::test]
async fn other_paths_keep_the_servers_own_shape() {
    let router = router(app());
    let answer = plain(&router, "/nothing", None, "{}").await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (StatusCode::NOT_FOUND, &"NOT_FOUND".into())
    );
}
