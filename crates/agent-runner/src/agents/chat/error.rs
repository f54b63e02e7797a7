//! Why a `chat` agent cannot be created.

/// Why a `chat` agent cannot be created from its settings. No text contains the key or the base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// No model is configured.
    #[error("no model is configured for the chat agent; set `model`")]
    NoModel,
    /// A setting has an invalid value.
    #[error("{name} {reason}")]
    Setting {
        /// The setting's name.
        name: &'static str,
        /// The requirement, such as "should be at least 1".
        reason: &'static str,
    },
    /// The settings name a tool that the server does not have.
    #[error("there is no tool '{name}'; the known tools are {known}")]
    UnknownTool {
        /// The name.
        name: String,
        /// The names of the existing tools.
        known: String,
    },
    /// Two tools have the same name.
    #[error("two tools are named '{0}'")]
    DuplicateTool(String),
    /// The key has characters that are not allowed in an HTTP header.
    #[error("the API key has characters that are not allowed in an HTTP header")]
    Key,
    /// A header in `extra_headers` cannot be sent.
    #[error("the header '{name}' in extra_headers {reason}")]
    Header {
        /// The header's name.
        name: String,
        /// Why, such as "is not the name of a header".
        reason: &'static str,
    },
    /// The HTTP client cannot be set up.
    #[error("could not set up the HTTP client: {0}")]
    Client(String),
}
