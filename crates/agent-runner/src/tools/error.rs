//! Why a tool has no answer.

use std::error::Error as StdError;
use std::fmt;

use agent_schemas::Error;

use crate::AgentError;
use crate::error_chain::chain;

/// What the model and the client read where a tool's error is not for them.
pub(crate) const UNEXPECTED: &str = "the tool failed unexpectedly";

/// Why a tool has no answer.
///
/// One that [`ToolError::new`] makes has a text that the model and the client read. One that `?` makes from any other error
/// does not: that error was not written for them, so they read only that the tool failed, and the server's log has its text.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolError {
    message: String,
    cause: Option<String>,
}

impl ToolError {
    /// An error with a text for the model and the client.
    pub fn new(message: impl Into<String>) -> Self {
        ToolError { message: message.into(), cause: None }
    }

    /// What the server's log is to have besides.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

// `ToolError` is no `std::error::Error` itself: only so can it be made from all that are.
impl<E: StdError> From<E> for ToolError {
    fn from(error: E) -> Self {
        ToolError { message: UNEXPECTED.to_owned(), cause: Some(chain(&error)) }
    }
}

impl From<ToolError> for AgentError {
    fn from(ToolError { message, cause }: ToolError) -> Self {
        match cause {
            Some(cause) => Error::unknown("ToolError", cause).into(),
            None => {
                let known = Error::ToolExecution {};
                Error::Custom { status: known.http_status(), code: known.code().to_owned(), message }.into()
            }
        }
    }
}

impl fmt::Debug for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ToolError").field(&self.cause.as_ref().unwrap_or(&self.message)).finish()
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
