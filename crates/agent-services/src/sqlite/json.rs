//! JSON texts, as they are stored.

use serde::de::DeserializeOwned;

use super::failure::{Failure, Outcome};

/// A value from its stored text.
pub(super) fn from_text<T: DeserializeOwned>(text: &str) -> Outcome<T> {
    serde_json::from_str(text).map_err(|error| Failure::Damaged(format!("a value cannot be read ({error})")))
}
