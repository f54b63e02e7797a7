//! A custom protocol: `POST /lines` takes `{"say": "…"}` and answers with the agent's text, one line per message.
//!
//! `curl -d '{"say": "hi"}' -H 'content-type: application/json' http://127.0.0.1:8080/lines`

use agent_runner::agents::Echo;
use agent_schemas::{AgentRequest, ErrorBody, Event, Message, RunOptions};
use agent_server::protocol::{
    Endpoint, ErrorInfo, Fields, FrameWriter, JsonRequest, OpenApiPart, Protocol, ProtocolContext, RunSpec,
    Translator,
};
use agent_server::{AgentApp, ApiError};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

#[derive(Debug)]
struct Lines;

impl Protocol for Lines {
    fn owns_path(&self, path: &str) -> bool {
        path == "/lines"
    }

    fn routes(&self, context: ProtocolContext) -> Router {
        Router::new().route("/lines", post(say)).with_state(context)
    }

    fn error_response(&self, error: &ErrorInfo) -> Response {
        (error.status, format!("! {}\n", error.message)).into_response()
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        vec![Endpoint::new("lines", "/lines")]
    }

    fn openapi(&self) -> OpenApiPart {
        OpenApiPart::parse(r#"{"paths": {"/lines": {"post": {"summary": "Say something"}}}}"#)
    }
}

async fn say(State(context): State<ProtocolContext>, request: JsonRequest) -> Result<Response, ApiError> {
    let spec = spec(&request, context.run_options().clone())?;
    let is_stream = spec.is_stream;
    let run = context.start(&request, spec).await?;
    let lines = Spoken::default();
    Ok(if is_stream {
        context.stream(&run, request.parts(), lines)
    } else {
        context.collect(&run, lines).await
    })
}

/// The request mapping.
fn spec(request: &JsonRequest, options: RunOptions) -> Result<RunSpec, ErrorInfo> {
    let body = Fields::new(request.body());
    let agent_request = AgentRequest::new(vec![Message::user(body.text("say")?)]);
    let mut spec = RunSpec::new(agent_request, options);
    spec.is_stream = body.optional_flag("stream")?.unwrap_or_default();
    Ok(spec)
}

/// The translation: the text so far.
#[derive(Default)]
struct Spoken(String);

impl Translator for Spoken {
    fn on_event(&mut self, event: &Event, frames: &mut FrameWriter) {
        let line = match event {
            Event::Message(message) if message.status.is_final() => message.full_text(),
            Event::Response(response) if response.status.is_final() => format!("({})", response.status),
            _ => return,
        };
        self.0.push_str(&line);
        self.0.push('\n');
        frames.push(&line);
    }

    fn on_abort(&mut self, error: &ErrorBody, frames: &mut FrameWriter) {
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
