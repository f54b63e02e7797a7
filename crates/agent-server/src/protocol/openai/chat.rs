//! `POST /v1/chat/completions`: a run as a completion of a conversation.

mod calls;
mod completion;
mod request;
mod texts;
mod wire;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use std::time::Duration;

use crate::asked::{IDEMPOTENCY_KEY, on_disconnect, policy};
use crate::error::ApiError;
use crate::protocol::Server;
use completion::{Completion, Head};
use request::Asked;

pub(super) fn routes(server: Server) -> Router {
    Router::new().route("/v1/chat/completions", post(create)).with_state(server)
}

async fn create(State(server): State<Server>, request: Request) -> Result<Response, ApiError> {
    let call = server.read(request).await?;
    let Asked { mut order, is_stream, wants_usage } = request::read(call.body().clone())?;
    // Nobody can read on in a completion, but who repeats the request with its key gets it from the beginning. All others
    // mean to stop the run when they close a stream, as there is no other way to.
    order.is_stream = is_stream && call.parts().headers.contains_key(IDEMPOTENCY_KEY);
    order.session_policy = policy(&order.request)?;
    order.on_disconnect = on_disconnect(&order.request, Duration::ZERO)?;
    let model = order.request.model.clone();
    let run = server.start(&call, order).await?;
    let completion = Completion::new(Head {
        id: format!("chatcmpl-{}", run.id().as_str().trim_start_matches("run_")),
        model: model.unwrap_or_else(|| run.agent_name().to_owned()),
        wants_usage,
    });
    if is_stream {
        Ok(server.stream(&run, call.parts(), completion))
    } else {
        Ok(server.whole(&run, completion).await)
    }
}
