//! Agents over HTTP.
//!
//! [`AgentApp`] turns any [`agent_runner::Agent`] into a server: the native event stream at `/process`, health and
//! readiness, limits, CORS and `Host` rules, and a shutdown that lets running runs end. Users add their own routes,
//! layers and hooks. OpenAI's protocols are in the crate `agent-protocol-openai`, and `agent-runtime` has all libraries
//! of the project. The binary (crate `agent-cli`) adds a configuration file.
//!
//! ```no_run
//! use agent_runner::{RunHandle, agent_fn};
//! use agent_server::AgentApp;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let greeter = agent_fn(async |run: RunHandle| {
//!     run.say("Hello!");
//!     Ok(())
//! });
//! let app = AgentApp::builder("greeter").agent("greeter", greeter).build()?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! app.serve(listener, async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
//! # Ok(()) }
//! ```
//!
//! The crate has no features of its own. Stores in files or in Redis are features of `agent-services`.
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
mod run_info;
mod sse;
mod state;

pub use app::{AgentApp, AgentAppBuilder, HookResult};
pub use app_error::AppError;
pub use config::HttpConfig;
pub use error::ApiError;
pub use extract::{ClientAddress, Principal};
pub use router::Guard;
// Re-exported because the public API contains its types, so that users need not match versions.
pub use axum;
