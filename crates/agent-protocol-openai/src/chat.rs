//! `POST /v1/chat/completions`: a run as a chat completion.

mod calls;
mod completion;
mod functions;
mod request;
mod texts;
mod wire;

use agent_server::protocol::ApiError;
use agent_server::protocol::{IDEMPOTENCY_KEY, JsonRequest, ProtocolContext};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;

use self::completion::{Completion, Head};
use self::request::CompletionSpec;

pub(super) fn routes(context: ProtocolContext) -> Router {
    Router::new().route("/v1/chat/completions", post(create)).with_state(context)
}

async fn create(
    State(context): State<ProtocolContext>,
    mut request: JsonRequest,
) -> Result<Response, ApiError> {
    let read = request::read(request.take_body(), context.run_options().clone())?;
    let CompletionSpec { mut spec, is_stream, wants_usage, uses_functions } = read;
    // A completion cannot be resumed, but a client that repeats the request with its key gets it from the beginning. All
    // other clients want to stop the run when they close a stream, because they have no other way to do so.
    spec.is_stream = is_stream && request.parts().headers.contains_key(IDEMPOTENCY_KEY);
    let model = spec.request.model.clone();
    let run = context.start(&request, spec).await?;
    let completion = Completion::new(Head {
        id: format!("chatcmpl-{}", run.id().as_str().trim_start_matches("run_")),
        model: model.unwrap_or_else(|| run.agent_name().to_owned()),
        wants_usage,
        uses_functions,
    });
    if is_stream {
        Ok(context.stream(&run, request.parts(), completion))
    } else {
        // The run may take long, and keeps what it needs of the request.
        drop(request);
        Ok(context.collect(&run, completion).await)
    }
}
