//! The steps of a run.

use crate::Result;
use crate::limits::check_ids;

/// What a run has noted about one of its steps, for whoever takes the run over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Its key, which the agent chooses.
    pub key: String,
    /// What is known of it. The store does not look into it.
    pub data: String,
}

impl Step {
    /// A step.
    pub fn new(key: impl Into<String>, data: impl Into<String>) -> Self {
        Step { key: key.into(), data: data.into() }
    }

    /// Its size in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        (self.key.len() + self.data.len()) as u64
    }

    /// Rejects a key that is too long.
    pub(crate) fn check(&self, operation: &'static str) -> Result<()> {
        check_ids(operation, [self.key.as_str()])
    }
}
