//! Why a tool failed.

use std::error::Error as StdError;
use std::fmt;

use agent_schemas::Error;

use crate::AgentError;
use crate::error_chain::chain;

/// The text for the model and the client if a tool's error is not meant for them.
pub(crate) const UNEXPECTED: &str = "the tool failed unexpectedly";

/// Why a tool has no answer.
///
/// An error from [`ToolError::new`] has a text for the model and the client. An error that `?` converts, of any type or
/// boxed, or an `anyhow::Error`, was not written for them, so they read only that the tool failed, and the server's log
/// has its text.
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

    /// Details for the server's log.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

// `ToolError` does not implement `std::error::Error`: otherwise it could not be converted from every type that does.
impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for ToolError {
    fn from(error: E) -> Self {
        let error: Box<dyn StdError + Send + Sync> = error.into();
        ToolError { message: UNEXPECTED.to_owned(), cause: Some(chain(error.as_ref())) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_of_others__however_wrapped__is_for_the_log() {
        let io = || std::io::Error::other("disk");
        let boxed: Box<dyn StdError + Send + Sync> = Box::new(io());
        for (error, cause) in [
            (ToolError::from(io()), "disk"),
            (ToolError::from(boxed), "disk"),
            (ToolError::from(anyhow::Error::new(io()).context("order 7")), "order 7: disk"),
            (ToolError::from("a text"), "a text"),
        ] {
            assert_eq!((error.to_string().as_str(), error.cause()), (UNEXPECTED, Some(cause)));
        }
    }
}
