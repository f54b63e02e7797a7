//! Serves agents over HTTP: one crate that re-exports all libraries of the project.
//!
//! An agent writes to its run; the runtime turns that into numbered events, stores them, and streams them to any number of
//! clients, over its own protocol, over OpenAI's, and over MCP.
//!
//! ```no_run
//! use agent_runtime::prelude::*;
//!
//! #[tokio::main]
//! async fn main() -> anyhow::Result<()> {
//!     let greeter = agent_fn(async |run: RunHandle| {
//!         let mut text = run.message().text();
//!         text.delta("Hello! You said: ");
//!         text.delta(&run.request().last_user_text());
//!         Ok(())
//!     });
//!     let app = AgentApp::builder("greeter").agent("greeter", greeter).protocol(OpenAi).build()?;
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     let ctrl_c = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
//!     Ok(app.serve(listener, ctrl_c).await?)
//! }
//! ```
//!
//! The [`prelude`] has the names that such a program uses. Everything else is in the crates themselves, which are
//! re-exported under shorter names:
//!
//! | module | crate | contents |
//! |---|---|---|
//! | [`schemas`] | `agent-schemas` | the protocol as data: requests, messages, events, errors |
//! | [`services`] | `agent-services` | state behind traits: sessions, runs, agent states, memories |
//! | [`runner`] | `agent-runner` | agents, runs, tools, and the agents that come with it |
//! | [`server`] | `agent-server` | the HTTP server, and the extension point for protocols |
#![cfg_attr(feature = "openai", doc = "| [`openai`] | `agent-protocol-openai` | OpenAI's protocols |")]
#![cfg_attr(
    feature = "mcp-server",
    doc = "| [`mcp`] | `agent-protocol-mcp` | agents as tools of MCP clients |"
)]
//!
//! # Features
//!
//! | feature | effect |
//! |---|---|
//! | `openai` (default) | [`OpenAi`](prelude), which serves OpenAI's Responses, Conversations and Chat Completions |
//! | `mcp-server` | [`Mcp`](prelude), which serves agents as tools of MCP clients |
//! | `chat` | the agent `Chat`, which calls a model over HTTP, and its steps for other agents |
//! | `sqlite` | stores in a file: `Services::open("sqlite:PATH")` |
//! | `redis` | stores that servers share: `Services::open("redis://HOST:PORT")` |
//! | `testing` | `runner::testing`, with which agents and tools are tested |

#[cfg(feature = "mcp-server")]
pub use agent_protocol_mcp as mcp;
#[cfg(feature = "openai")]
pub use agent_protocol_openai as openai;
pub use {
    agent_runner as runner, agent_schemas as schemas, agent_server as server, agent_services as services,
};

/// The names that a program with an agent of its own uses.
///
/// ```
/// use agent_runtime::prelude::*;
/// ```
pub mod prelude {
    #[cfg(feature = "mcp-server")]
    pub use agent_protocol_mcp::Mcp;
    #[cfg(feature = "openai")]
    pub use agent_protocol_openai::OpenAi;
    #[cfg(feature = "chat")]
    pub use agent_runner::agents::{Chat, ChatConfig, ChatTurn};
    pub use agent_runner::tools::{Tool, ToolContext, ToolError, tool_fn};
    pub use agent_runner::{
        Agent, AgentError, AgentInfo, Recovery, RunHandle, RunOptions, Runner, SecretString, Services,
        agent_fn, described,
    };
    pub use agent_schemas::{AgentRequest, AgentResponse, Error, Message, Role};
    pub use agent_server::{AgentApp, ApiError, HttpConfig, Principal};
}
