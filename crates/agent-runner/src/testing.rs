//! Runs agents and tools in tests, without a server, a network or a model.
//!
//! [`collect`] runs an agent and returns its output, [`ScriptedAgent`] is an agent that follows a script,
//! [`FakeModel`] answers a chat agent, and [`ToolTest`] calls tools.
//!
//! Enable it for tests only:
//!
//! ```toml
//! [dev-dependencies]
//! agent-runner = { version = "…", features = ["testing"] }
//! ```

mod collect;
mod scripted;
mod tool;

pub use collect::{CollectedRun, collect, collect_from, outline};
pub use scripted::ScriptedAgent;
pub use tool::ToolTest;

#[cfg(feature = "chat")]
pub use crate::agents::chat::{FakeModel, FakeReply, FakeRequest};
