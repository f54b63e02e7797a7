//! Types of the server's own HTTP API.

pub mod runs;
pub mod sessions;
