//! The Responses API: a response is a run, and its stream a translation of the run's log.
//!
//! `docs/protocols/openai.md` has the tables of fields and events.

mod create;
mod earlier;
mod ids;
pub(super) mod input;
pub(super) mod items;
mod kept;
mod order;
mod socket;
mod stored;
mod translator;

use axum::Router;
use axum::routing::{get, post};

use super::super::Server;

pub(super) fn routes(server: Server) -> Router {
    Router::new()
        .route("/v1/responses", post(create::post).get(socket::open))
        .route("/v1/responses/compact", post(create::compact))
        .route("/v1/responses/{id}", get(stored::get).delete(stored::delete))
        .route("/v1/responses/{id}/cancel", post(stored::cancel))
        .route("/v1/responses/{id}/input_items", get(stored::input_items))
        // The peer's path, whose answers its own readers understand, too.
        .route("/compatible-mode/v1/responses", post(create::post_as_peer))
        .with_state(server)
}
