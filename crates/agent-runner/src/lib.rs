//! An agent and services, composed into runs.
//!
//! A [`Runner`] takes a request, passes it to an [`Agent`], and turns the agent's output into the run's log: a
//! sequence of well-formed numbered events that any number of [`Cursor`]s read, each at its own pace and from any
//! position. The agent does not know its readers.
//!
//! ```
//! use agent_runner::{AgentError, RunHandle, Runner, agent_fn};
//! use agent_schemas::{AgentRequest, Message};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let agent = agent_fn(|run: RunHandle| async move {
//!     let mut text = run.message().text();
//!     text.delta("You said: ");
//!     text.delta(&run.request().last_user_text());
//!     Ok(())
//! });
//! let runner = Runner::builder().agent("parrot", agent).build()?;
//! let run = runner.start(AgentRequest::new(vec![Message::user("hi")]), Default::default()).await?;
//! let response = run.response().await?;
//! assert_eq!(response.messages()[0].text_content(), Some("You said: hi"));
//! # Ok(()) }
//! ```
//!
//! [`agents`] has ready-made agents, [`tools`] has the tools that models may call, and [`history`] shortens
//! conversations that are too long. The crate `agent-server` serves a runner over HTTP.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | effect |
//! |---|---|
//! | `chat` | the agent `agents::Chat`, which calls a model over HTTP, and its steps, `agents::ChatTurn` |
//! | `http-client` | `http_client`, which makes HTTP clients with this project's TLS |
//! | `testing` | `testing`, with which agents and tools are tested |
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

mod agent;
pub mod agents;
mod answer;
mod assemble;
mod budget;
mod call_form;
mod child;
mod cursor;
mod error_chain;
mod handle;
pub mod history;
#[cfg(feature = "http-client")]
pub mod http_client;
mod journal;
mod live;
#[cfg(feature = "mcp")]
pub mod mcp;
mod open_json;
mod question;
mod question_input;
mod run_memory;
mod run_state;
mod runner;
#[cfg(feature = "chat")]
mod seconds;
#[cfg(feature = "http-client")]
mod secret_map;
pub mod sse_reader;
mod steer;
mod step;
mod step_effect;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tools;
mod writer;

pub use agent_schemas::{
    Durability, HttpHead, IdempotencyKey, OnDisconnect, ProtocolData, RunOptions, SessionPolicy,
};

pub use agent::{Agent, AgentError, AgentFn, AgentInfo, Described, Recovery, agent_fn, described};
pub use agent_services::Services;
pub use answer::Answer;
pub use budget::{ByteBudget, Reservation};
pub use child::{ChildError, ChildRun, ChildSpec};
pub use cursor::{Cursor, CursorError};
pub use handle::RunHandle;
pub use live::RunEnd;
pub use question::Question;
pub use question_input::QuestionInput;
pub use run_memory::RunMemory;
pub use run_state::RunState;
pub use runner::{
    BuildError, ContextError, Deleted, PositionError, Run, RunContext, RunLimits, Runner, RunnerBuilder,
    StartError, delete_session, delete_user,
};
/// The type of keys and tokens, which no `Debug` shows.
pub use secrecy::{ExposeSecret, SecretString};
#[cfg(feature = "http-client")]
pub use secret_map::SecretMap;
pub use step::RunSteps;
pub use step_effect::StepEffect;
pub use writer::{DataWriter, MessageWriter, TextWriter, ToolCallWriter, ToolOutputWriter};

// Types of the services that appear in the methods of a run and a runner: pages, stored values and errors.
pub use agent_services::{
    Error as ServiceError, ErrorKind as ServiceErrorKind,
    memory::{Memory, MemoryQuery, Recalled},
    page::{Page, PageSize, PageToken},
    run::{RunFilter, RunRecord},
};
// The stores in `Services`.
pub use agent_services::{memory::MemoryStore, run::RunStore, session::SessionStore, state::StateStore};
// Re-exported because the public API contains their types, so that users need not match versions.
pub use {agent_schemas, agent_services, schemars};
