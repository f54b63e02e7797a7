//! `POST /v1/responses`: makes a response.

use agent_runner::Run;
use agent_schemas::{JsonObject, RunId};
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;

use super::kept::Kept;
use super::translator::{Form, Responses};
use super::{earlier, order, stored};
use crate::error::ApiError;
use crate::protocol::{Call, Failure, Order, Server};

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
    let prepared = Prepared::new(server, call.body(), None).await?;
    let (is_stream, in_background) = (prepared.order.is_stream, prepared.order.in_background);
    let (run, translator) = start(server, &call, prepared, form).await?;
    if is_stream {
        stored::check_is_whole(&run)?;
        Ok(server.stream(&run, call.parts(), translator))
    } else if in_background {
        server.so_far(run.id(), translator).await
    } else {
        Ok(server.whole(&run, translator).await)
    }
}

/// A request that was read and found good.
pub(super) struct Prepared {
    order: Order,
    kept: Kept,
}

impl Prepared {
    /// Reads a request; `own` is a response that it may go on from although that is not stored.
    pub(super) async fn new(
        server: &Server,
        body: &JsonObject,
        own: Option<&RunId>,
    ) -> Result<Self, ApiError> {
        let default = server.runner().agent_names().next().unwrap_or_default();
        let settings = order::settings(body, default)?;
        let earlier = earlier::load(server, settings.previous_response_id.as_deref(), own).await?;
        let (order, kept) = order::order(body, settings, earlier)?;
        Ok(Prepared { order, kept })
    }
}

/// Starts the run, and makes what translates its log.
pub(super) async fn start(
    server: &Server,
    call: &Call,
    Prepared { order, kept }: Prepared,
    form: Form,
) -> Result<(Run, Responses), ApiError> {
    let run = server.start(call, order).await?;
    let translator = Responses::new(run.id(), kept, form);
    Ok((run, translator))
}
