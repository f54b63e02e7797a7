//! The seam between the loop of a turn and whatever answers its model calls.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::body::Item;
use super::failure::Failure;
use crate::Services;

/// An answer that has begun: its chunks, and the model's own word that it is done. It may end without that word, and ends
/// with a failure.
pub(super) type Chunks = BoxStream<'static, Result<Item, Failure>>;

/// Answers model calls.
#[async_trait]
pub(super) trait Model: fmt::Debug + Send + Sync + 'static {
    /// Whether it is OpenAI's own, which has its own ideas about some members of a request.
    fn is_openai(&self) -> bool;

    /// Sends a request, a chat completion's JSON for the model of this name, and resolves once the answer has begun.
    ///
    /// # Errors
    /// Why it did not begin; what is worth repeating has been repeated.
    ///
    /// # Cancellation
    /// Dropping the future, and the chunks, stops the model.
    async fn open(&self, body: Bytes, model: &str, services: &Services) -> Result<Chunks, Failure>;

    /// What happened to a call of the model of this name, where, and what to do about it: for the log, without secrets.
    fn explain(&self, model: &str, failure: &Failure) -> String;
}
