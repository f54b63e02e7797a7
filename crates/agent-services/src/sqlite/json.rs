//! Stored JSON texts.

use serde::de::DeserializeOwned;

use super::failure::{Failure, Outcome};

/// Parses a stored text.
pub(super) fn from_text<T: DeserializeOwned>(text: &str) -> Outcome<T> {
    from_bytes(text.as_bytes())
}

/// The same for bytes.
pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Outcome<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::Damaged(format!("could not read a stored value ({error})")))
}
