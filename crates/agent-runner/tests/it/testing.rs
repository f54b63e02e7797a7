//! What the crate offers to tests of agents and tools.

mod tool;
