//! The Responses API: a response is a run, and its stream a translation of the run's log.
//!
//! `docs/protocols/openai.md` has the tables of fields and events.

mod answers;
mod attached;
mod compaction;
mod conversation;
mod create;
mod declared;
mod echoed;
pub(super) mod ids;
pub(super) mod input;
pub(super) mod items;
mod previous;
pub(super) mod references;
mod roles;
mod socket;
mod spec;
mod stored;
mod summary;
mod tokens;
mod translator;

use axum::Router;
use axum::routing::{get, post};

use agent_server::protocol::ProtocolContext;

pub(super) fn routes(context: ProtocolContext) -> Router {
    Router::new()
        .route("/v1/responses", post(create::post).get(socket::open))
        .route("/v1/responses/compact", post(compaction::post))
        .route("/v1/responses/input_tokens", post(tokens::count))
        .route("/v1/responses/{id}", get(stored::get).delete(stored::delete))
        .route("/v1/responses/{id}/cancel", post(stored::cancel))
        .route("/v1/responses/{id}/input_items", get(stored::input_items))
        // Upstream's path, whose responses upstream's clients also understand.
        .route("/compatible-mode/v1/responses", post(create::post_as_upstream))
        .with_state(context)
}
