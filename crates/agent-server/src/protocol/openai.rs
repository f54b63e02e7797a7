//! OpenAI's protocols, for the clients that everybody has: Responses, Conversations and Chat Completions.

mod chat;
mod conversations;
mod error;
mod list;
mod models;
mod responses;

use axum::Router;
use axum::response::Response;

use super::{Failure, Protocol, Server};

/// Where OpenAI's clients look, and where the peer has its Responses.
const PREFIXES: [&str; 2] = ["/v1/", "/compatible-mode/v1/"];

/// OpenAI's protocols.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpenAi;

impl Protocol for OpenAi {
    fn speaks_at(&self, path: &str) -> bool {
        PREFIXES.iter().any(|prefix| path.starts_with(prefix))
    }

    fn routes(&self, server: Server) -> Router {
        responses::routes(server.clone())
            .merge(conversations::routes(server.clone()))
            .merge(chat::routes(server.clone()))
            .merge(models::routes(server))
    }

    fn failure(&self, failure: &Failure) -> Response {
        error::response(failure)
    }
}
