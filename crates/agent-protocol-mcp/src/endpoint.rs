//! What both transports know of the endpoint.

/// Its path.
pub(crate) const PATH: &str = "/mcp";

/// The header with the session's id, before 2026-07-28.
pub(crate) const SESSION_ID: &str = "mcp-session-id";

/// Marks requests that come from a pipe, which has no headers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piped;
