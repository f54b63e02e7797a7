//! A user's additions to an agent server: a protocol, a backend and a tool.

pub mod backend;
pub mod protocol;
pub mod tool;
