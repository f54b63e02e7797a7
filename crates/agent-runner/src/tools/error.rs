//! Why a tool failed.

use std::error::Error as StdError;
use std::fmt;

use agent_schemas::Error;

use crate::AgentError;

/// Why a tool failed, as a text for the model and the client. Any error converts to it with `?`, which keeps its text.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolError {
    message: String,
}

impl ToolError {
    /// An error with this text.
    pub fn new(message: impl Into<String>) -> Self {
        ToolError { message: message.into() }
    }
}

// `ToolError` does not implement `std::error::Error`: otherwise it could not be converted from every type that does.
impl<E: StdError> From<E> for ToolError {
    fn from(error: E) -> Self {
        ToolError::new(error.to_string())
    }
}

impl From<ToolError> for AgentError {
    fn from(error: ToolError) -> Self {
        Error::unknown("ToolError", error.message).into()
    }
}

impl fmt::Debug for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ToolError").field(&self.message).finish()
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
