//! Agents in other languages, executed by worker processes.
//!
//! [`Workers`] starts a worker, keeps one running, and hands out its agents as [`agent_runner::Agent`]s. What the two
//! processes say to each other is the worker protocol, `docs/protocols/worker.md`.
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

mod agent;
mod calls;
mod changes;
mod connection;
mod crashes;
mod error;
mod frame;
mod health;
mod http;
mod message;
mod output;
mod parts;
mod process;
pub mod python;
mod runs;
mod start;
mod supervise;
mod timing;
mod watch;
mod worker;
mod workers;

pub use agent::WorkerAgent;
pub use error::WorkerError;
pub use http::ResponseBody;
pub use message::{AgentInfo, StopSession};
pub use process::Program;
pub use start::WorkersConfig;
#[doc(hidden)]
pub use timing::Timing;
pub use workers::Workers;
