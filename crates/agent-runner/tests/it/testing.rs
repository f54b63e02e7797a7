//! The crate's helpers for tests of agents and tools.

mod agents;
#[cfg(feature = "chat")]
mod model;
mod tool;
