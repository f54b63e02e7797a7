//! What the crate offers to tests of agents and tools.

mod agents;
#[cfg(feature = "chat")]
mod model;
mod tool;
