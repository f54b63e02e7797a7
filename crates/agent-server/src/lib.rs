//! Agents over HTTP.
//!
//! [`AgentApp`] turns any [`agent_runner::Agent`] into a server: the native event stream at `/process`, health and
//! readiness, limits, CORS and `Host` rules, and a shutdown that lets running runs end. Users add their own routes,
//! layers and hooks. The binary (crate `agent-cli`) adds a configuration file and OpenAI's
//! protocols.
//!
//! The path of one streamed request: [`AgentApp::serve`] → `lifecycle` (accept) → `middleware` (log, CORS, host) →
//! `routes::process` → [`agent_runner::Runner::start`] → the agent's task; and back: log → cursor → `sse` → client.
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

mod access_log;
mod app;
mod app_error;
mod closing;
mod config;
mod error;
mod extract;
mod headers;
mod lifecycle;
mod middleware;
mod openapi;
pub mod protocol;
mod readiness;
mod router;
mod routes;
mod sse;
mod state;

pub use app::{AgentApp, AgentAppBuilder, HookResult};
pub use app_error::AppError;
pub use config::HttpConfig;
pub use error::ApiError;
pub use extract::Principal;
