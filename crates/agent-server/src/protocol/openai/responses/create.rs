//! `POST /v1/responses`: makes a response.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;

use super::translator::{Form, Responses};
use super::{earlier, order, stored};
use crate::error::ApiError;
use crate::protocol::{Failure, Server};

pub(super) async fn post(State(server): State<Server>, request: Request<Body>) -> Result<Response, ApiError> {
    create(&server, request, Form::Plain).await
}

/// The same at the peer's path.
pub(super) async fn post_as_peer(
    State(server): State<Server>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    create(&server, request, Form::Peers).await
}

/// `POST /v1/responses/compact`: what no agent can do yet.
pub(super) async fn compact() -> ApiError {
    let message = "no agent here can compact a conversation; go on from it with previous_response_id";
    Failure::new(StatusCode::BAD_REQUEST, "unsupported_operation", message).into()
}

async fn create(server: &Server, request: Request<Body>, form: Form) -> Result<Response, ApiError> {
    let call = server.read(request).await?;
    let settings = order::settings(call.body())?;
    let earlier = earlier::load(server, settings.previous_response_id.as_deref()).await?;
    let (order, mut kept) = order::order(call.body(), settings, earlier)?;
    let (is_stream, in_background) = (order.is_stream, order.in_background);
    let run = server.start(&call, order).await?;
    kept.name_model(run.agent_name());
    let translator = Responses::new(run.id(), &kept, form);
    if is_stream {
        stored::check_is_whole(&run)?;
        Ok(server.stream(&run, call.parts(), translator))
    } else if in_background {
        server.so_far(run.id(), translator).await
    } else {
        Ok(server.whole(&run, translator).await)
    }
}
