//! The Responses API: a response is a run, and its stream a translation of the run's log.
//!
//! `docs/protocols/openai.md` has the tables of fields and events.

mod create;
mod earlier;
mod ids;
mod input;
mod items;
mod kept;
mod order;
mod translator;

use axum::Router;
use axum::routing::post;

use super::super::Server;

/// The paths of the collection. The second is the peer's, and has a form that the peer's readers understand too.
const PATH: &str = "/v1/responses";
const PEERS_PATH: &str = "/compatible-mode/v1/responses";

pub(super) fn routes(server: Server) -> Router {
    Router::new()
        .route(PATH, post(create::post))
        .route(PEERS_PATH, post(create::post_as_peer))
        .with_state(server)
}
