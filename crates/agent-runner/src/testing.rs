//! What tests of agents and tools need: no server, no network and no model.

mod tool;

pub use tool::ToolTest;
