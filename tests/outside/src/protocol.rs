//! A protocol: `POST /shout` takes `{"text": "…"}` and answers in capital letters.

use agent_schemas::{AgentRequest, ErrorBody, Event, Message};
use agent_server::protocol::ApiError;
use agent_server::protocol::{
    Endpoint, ErrorInfo, Fields, FrameWriter, JsonRequest, OpenApiPart, Protocol, ProtocolContext, RunSpec,
    Translator,
};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

#[derive(Debug)]
pub struct Shouting;

impl Protocol for Shouting {
    fn owns_path(&self, path: &str) -> bool {
        path == "/shout"
    }
    fn routes(&self, context: ProtocolContext) -> Router {
        Router::new().route("/shout", post(shout)).with_state(context)
    }
    fn error_response(&self, error: &ErrorInfo) -> Response {
        (error.status, format!("{}!", error.message.to_uppercase())).into_response()
    }
    fn endpoints(&self) -> Vec<Endpoint> {
        vec![Endpoint::new("shout", "/shout")]
    }
    fn openapi(&self) -> OpenApiPart {
        OpenApiPart::parse(
            r#"{"paths": {"/shout": {"post": {"summary": "Shout", "responses": {"200": {}}}}}}"#,
        )
    }
}

async fn shout(State(context): State<ProtocolContext>, request: JsonRequest) -> Result<Response, ApiError> {
    let text = Fields::new(request.body()).text("text")?;
    let spec = RunSpec::new(AgentRequest::new(vec![Message::user(text)]), context.run_options().clone());
    let run = context.start(&request, spec).await?;
    Ok(context.collect(&run, Loud::default()).await)
}

#[derive(Default)]
struct Loud(String);

impl Translator for Loud {
    fn on_event(&mut self, event: &Event, _: &mut FrameWriter) {
        if let Event::Message(message) = event
            && message.status.is_final()
        {
            self.0.push_str(&message.full_text().to_uppercase());
        }
    }
    fn on_abort(&mut self, error: &ErrorBody, _: &mut FrameWriter) {
        self.0.clone_from(&error.message);
    }
    fn answer(&self) -> Response {
        self.0.clone().into_response()
    }
}
