//! MCP over an [`agent_server`]: each agent is a tool.
//!
//! ```
//! use agent_protocol_mcp::Mcp;
//! use agent_runner::agents::Echo;
//! use agent_runner::{AgentInfo, described};
//! use agent_server::AgentApp;
//!
//! # fn main() -> Result<(), agent_server::AppError> {
//! let echo = described(Echo::default(), AgentInfo::new("Repeats what it is told."));
//! let app = AgentApp::builder("echo").agent("echo", echo).protocol(Mcp::default()).build()?;
//! # Ok(()) }
//! ```
//!
//! Clients connect to `http://ADDRESS/mcp` (streamable HTTP), or to a process whose input and output are connected to the
//! application ([`serve_stdio`]). The server speaks 2026-07-28, and 2025-11-25 and earlier. The crate has no features.
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

mod call;
mod capabilities;
mod client;
mod config;
mod dispatch;
mod endpoint;
mod file;
mod http;
mod input;
mod log_level;
mod media_type;
mod methods;
mod paging;
mod recent;
mod result;
mod rpc;
mod schema;
mod server;
mod session;
mod state;
mod stdio;
mod subscriptions;
mod template;
mod version;

use std::sync::Arc;

use ::http::HeaderName;
use agent_server::protocol::{Endpoint, ErrorInfo, OpenApiPart, Protocol, ProtocolContext};
use axum::Router;
use axum::response::Response;

pub use config::{ArgumentConfig, McpConfig, McpConfigError, MessageConfig, PromptConfig, ResourceConfig};
pub use stdio::serve_stdio;

use self::endpoint::{PATH, SESSION_ID};
use self::rpc::RpcError;
use self::server::Server;
use self::state::State;

/// The MCP server.
#[derive(Debug, Default)]
pub struct Mcp {
    config: Arc<McpConfig>,
    state: Arc<State>,
}

impl Mcp {
    /// A server with these prompts and resources.
    ///
    /// # Errors
    /// [`McpConfigError`] says what is wrong with them.
    pub fn new(config: McpConfig) -> Result<Self, McpConfigError> {
        config.check()?;
        Ok(Mcp { config: Arc::new(config), state: Arc::default() })
    }
}

impl Protocol for Mcp {
    fn owns_path(&self, path: &str) -> bool {
        path == PATH
    }

    fn routes(&self, context: ProtocolContext) -> Router {
        http::routes(Server::new(context, Arc::clone(&self.config), Arc::clone(&self.state)))
    }

    fn error_response(&self, error: &ErrorInfo) -> Response {
        let error = match error.code.as_str() {
            "MALFORMED_JSON" | "UNREADABLE_BODY" => RpcError::parse(error.message.as_str()),
            "INVALID_REQUEST" => RpcError::invalid_request("The body should be one JSON object"),
            _ => RpcError::from(error),
        };
        http::refuse(None, &error)
    }

    fn exposed_headers(&self) -> Vec<HeaderName> {
        vec![HeaderName::from_static(SESSION_ID)]
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        vec![Endpoint::new("mcp", PATH)]
    }

    fn openapi(&self) -> OpenApiPart {
        OpenApiPart::parse(include_str!("openapi.json"))
    }
}
