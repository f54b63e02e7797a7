//! The interface between the loop of a turn and the model that it calls.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::body::Item;
use super::failure::Failure;
use crate::Services;

/// An answer that has started: its chunks, and the model's own end marker. It may end without the marker, or with a
/// failure.
pub(super) type Chunks = BoxStream<'static, Result<Item, Failure>>;

/// Answers model calls.
#[async_trait]
pub(super) trait Model: fmt::Debug + Send + Sync + 'static {
    /// Whether this is OpenAI's own API, which treats some members of a request differently.
    fn is_openai(&self) -> bool;

    /// Sends a chat completion request, as JSON, to the model with this name, and resolves once the answer has started.
    ///
    /// # Errors
    /// The failure that prevented an answer; retries have already been made.
    ///
    /// # Cancellation
    /// Dropping the future, and the chunks, stops the model.
    async fn open(&self, body: Bytes, model: &str, services: &Services) -> Result<Chunks, Failure>;

    /// What happened to a call of the model of this name, where, and what to do about it: for the log, without secrets.
    fn explain(&self, model: &str, failure: &Failure) -> String;
}
