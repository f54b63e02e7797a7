//! OpenAI's protocols over an [`agent_server`]: Responses, Conversations, Chat Completions and models.
//!
//! ```
//! use agent_protocol_openai::OpenAi;
//! use agent_runner::agents::Echo;
//! use agent_server::AgentApp;
//!
//! # fn main() -> Result<(), agent_server::AppError> {
//! let app = AgentApp::builder("echo").agent("echo", Echo::default()).protocol(OpenAi).build()?;
//! # Ok(()) }
//! ```
//!
//! An OpenAI client then works with the base URL `http://ADDRESS/v1`. The `model` of a request selects an agent. The
//! crate has no features.
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

mod chat;
mod conversations;
mod error;
mod list;
mod models;
mod responses;

use agent_server::protocol::{Endpoint, ErrorInfo, OpenApiPart, Protocol, ProtocolContext};
use axum::Router;
use axum::response::Response;

/// The paths that OpenAI's clients use, and upstream's path of the Responses API.
const PREFIXES: [&str; 2] = ["/v1/", "/compatible-mode/v1/"];

/// The types of `agent_schemas` that the OpenAPI documents refer to.
const TYPES: [&str; 6] = [
    "OpenAIResponse",
    "ResponseItem",
    "ChatCompletionRequest",
    "ChatCompletionToolCallInput",
    "ChoiceDeltaToolCallInput",
    "CompletionUsageInput",
];

/// OpenAI's protocols.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenAi;

impl Protocol for OpenAi {
    fn owns_path(&self, path: &str) -> bool {
        PREFIXES.iter().any(|prefix| path.starts_with(prefix))
    }

    fn routes(&self, context: ProtocolContext) -> Router {
        responses::routes(context.clone())
            .merge(conversations::routes(context.clone()))
            .merge(chat::routes(context.clone()))
            .merge(models::routes(context))
    }

    fn error_response(&self, error: &ErrorInfo) -> Response {
        error::response(error)
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        vec![
            Endpoint::new("responses", "/v1/responses"),
            Endpoint::new("chat_completions", "/v1/chat/completions"),
            Endpoint::new("models", "/v1/models"),
        ]
    }

    fn openapi(&self) -> OpenApiPart {
        let responses = OpenApiPart::parse(include_str!("openapi/openai.json"));
        responses.merge(OpenApiPart::parse(include_str!("openapi/chat_completions.json"))).with_types(&TYPES)
    }
}
