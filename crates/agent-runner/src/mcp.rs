//! Tools of MCP servers (Model Context Protocol, revisions up to 2026-07-28), which agents use like their own.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use agent_runner::agents::{Chat, ChatConfig};
//! use agent_runner::mcp::{McpServerConfig, McpServers};
//!
//! # async fn make() -> Result<(), Box<dyn std::error::Error>> {
//! let files = McpServerConfig::stdio("files", "npx", ["-y", "@modelcontextprotocol/server-filesystem", "."]);
//! let servers = McpServers::start(vec![files])?;
//! servers.first_lists(Duration::from_secs(5)).await;
//! let chat = Chat::new(ChatConfig::new("gpt-4o-mini"), None, Vec::new())?.with_tools_of(servers.tools_of(None)?);
//! # servers.close().await;
//! # Ok(()) }
//! ```
//!
//! Each server has a task that keeps it connected (`supervise`): it starts the process or opens the connection
//! (`connect`), lists the tools (`list`), and begins again, with growing pauses, when the server is gone. The tools of
//! all servers are in one catalog (`catalog`), in which each has a name that models accept. A server that does not answer
//! costs its own tools only. Servers over HTTP may want OAuth (`auth`).

mod abandoned;
mod allowance;
mod auth;
mod auth_config;
mod call;
mod catalog;
mod changes;
mod client;
mod config;
mod connect;
mod error;
mod list;
mod login;
mod names;
mod oversized;
mod process;
mod result;
mod server;
mod servers;
mod supervise;
mod tool;
mod watched;

pub use auth_config::{Grant, McpAuthConfig};
pub use config::{Approval, McpServerConfig, When};
pub use error::McpError;
pub use login::McpLogin;
pub use servers::{McpServerStatus, McpServers};
