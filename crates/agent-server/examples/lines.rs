//! A protocol of one's own: `POST /lines` takes `{"say": "…"}` and answers with the agent's words, a line for each message.
//!
//! `curl -d '{"say": "hi"}' -H 'content-type: application/json' http://127.0.0.1:8080/lines`

use agent_runner::agents::Echo;
use agent_schemas::{AgentRequest, ErrorBody, Event, Json, Message};
use agent_server::protocol::{Call, Failure, Frames, Order, Protocol, Server, Translator};
use agent_server::{AgentApp, ApiError};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

#[derive(Debug)]
struct Lines;

impl Protocol for Lines {
    fn speaks_at(&self, path: &str) -> bool {
        path == "/lines"
    }

    fn routes(&self, server: Server) -> Router {
        Router::new().route("/lines", post(say)).with_state(server)
    }

    fn failure(&self, failure: &Failure) -> Response {
        (failure.status, format!("! {}\n", failure.message)).into_response()
    }
}

async fn say(State(server): State<Server>, request: Request) -> Result<Response, ApiError> {
    let call = server.read(request).await?;
    let order = order(&call)?;
    let is_stream = order.is_stream;
    let run = server.start(&call, order).await?;
    let lines = Spoken::default();
    Ok(if is_stream { server.stream(&run, call.parts(), lines) } else { server.whole(&run, lines).await })
}

/// The request mapping.
fn order(call: &Call) -> Result<Order, Failure> {
    let say = call.body().get("say").and_then(Json::as_str);
    let say = say.ok_or_else(|| Failure::of_parameter("say", "expected a text"))?;
    let mut order = Order::new(AgentRequest::new(vec![Message::user(say)]));
    order.is_stream = call.body().get("stream") == Some(&Json::Bool(true));
    Ok(order)
}

/// The translation: what was said so far.
#[derive(Default)]
struct Spoken(String);

impl Translator for Spoken {
    fn on_event(&mut self, event: &Event, frames: &mut Frames) {
        let line = match event {
            Event::Message(message) if message.status.is_final() => message.full_text(),
            Event::Response(response) if response.status.is_final() => format!("({})", response.status),
            _ => return,
        };
        self.0.push_str(&line);
        self.0.push('\n');
        frames.push(&line);
    }

    fn on_cut(&mut self, error: &ErrorBody, frames: &mut Frames) {
        frames.push_text(&format!("! {}", error.code));
    }

    fn answer(&self) -> Response {
        self.0.clone().into_response()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = AgentApp::builder("lines").agent("echo", Echo::default()).protocol(Lines).build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    app.serve(listener, std::future::pending()).await?;
    Ok(())
}
