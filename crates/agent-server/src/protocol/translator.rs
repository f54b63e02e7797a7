//! From the events of a run to the frames of a protocol.

use agent_schemas::{DecodeError, ErrorBody, Event};
use axum::response::Response;

use super::{EscapedText, FrameWriter, TextDelta};

/// Translates one run's log for one client: a state machine without I/O, clock or randomness, so that every process
/// makes the same frames of the same log.
///
/// It sees a log from its beginning, as [`agent_schemas`] describes it. A client that resumes in the middle gets a
/// translator that is silent up to there. If a run's response has outlived its log
/// ([`response_ttl`](agent_schemas::RunOptions::response_ttl)), the translator may see the final event alone, for
/// [`Self::answer`].
pub trait Translator: Send + Unpin + 'static {
    /// Takes in the next event and writes what the client is to see of it. The final event must end the client's stream.
    fn on_event(&mut self, event: &Event, frames: &mut FrameWriter);

    /// Whether [`Self::on_event`] needs no more of an event than its head: a message without its contents, a response
    /// without its output, a content of text or refusal as it is. True is faster where the translator has seen the rest in
    /// earlier events.
    fn needs_only_head(&self, _head: &Event) -> bool {
        false
    }

    /// Whether the deltas of a text, of which this is the next, are relayed without being decoded. They then come to
    /// [`Self::on_delta`], beginning with this one, until any other event comes.
    fn begin_deltas(&mut self, _next: &TextDelta<'_>) -> bool {
        false
    }

    /// Takes in the text of a delta that is relayed, and writes it with [`FrameWriter::push_delta`].
    ///
    /// # Errors
    /// [`DecodeError`] from [`EscapedText::append_to`].
    fn on_delta(&mut self, _text: EscapedText<'_>, _frames: &mut FrameWriter) -> Result<(), DecodeError> {
        Ok(())
    }

    /// Ends the client's stream where the log cannot be read to its end. Nothing follows.
    fn on_abort(&mut self, error: &ErrorBody, frames: &mut FrameWriter);

    /// What all events so far amount to: the answer to a client that wants no stream.
    fn answer(&self) -> Response;
}
