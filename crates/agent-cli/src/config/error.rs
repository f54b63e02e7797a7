//! The error of a configuration.

use std::fmt;

/// Why there is no usable configuration. `Display` says what to change, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigError(String);

impl ConfigError {
    /// An error with a sentence that says what to change.
    pub(crate) fn from_message(message: impl Into<String>) -> Self {
        ConfigError(message.into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
