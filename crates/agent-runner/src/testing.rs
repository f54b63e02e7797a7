//! What tests of agents and tools need: no server, no network and no model.
//!
//! [`collect`] runs an agent and gives all that it wrote, [`ScriptedAgent`] is an agent that does what a test says,
//! [`FakeModel`] answers a chat agent, and [`ToolTest`] calls tools.
//!
//! Switch it on for tests only:
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
