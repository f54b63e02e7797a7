//! Translates the events of a run to the frames of a protocol.

use agent_schemas::{DecodeError, ErrorBody, Event};
use axum::response::Response;

use super::{EscapedText, FrameWriter, TextDelta};

/// Translates one run's log for one client: a state machine without I/O, clock or randomness, so that every process
/// produces the same frames from the same log.
///
/// It sees a log from its beginning, as [`agent_schemas`] describes it. A client that resumes in the middle gets a
/// translator whose output is discarded up to there. If a run's response has outlived its log
/// ([`response_ttl`](agent_schemas::RunOptions::response_ttl)), the translator may see the final event alone, for
/// [`Self::answer`].
pub trait Translator: Send + Unpin + 'static {
    /// Handles the next event and writes the client's view of it. The final event must end the client's stream.
    fn on_event(&mut self, event: &Event, frames: &mut FrameWriter);

    /// Whether [`Self::on_event`] needs only the head of an event: a message without its contents, a response
    /// without its output, a complete content of text or refusal. True is faster if the translator has seen the rest in
    /// earlier events.
    fn needs_only_head(&self, _head: &Event) -> bool {
        false
    }

    /// Whether the deltas of a text, starting with this one, are relayed without decoding. [`Self::on_delta`] then
    /// receives them, starting with this one, until any other event.
    fn begin_deltas(&mut self, _next: &TextDelta<'_>) -> bool {
        false
    }

    /// Handles the text of a relayed delta, and writes it with [`FrameWriter::push_delta`].
    ///
    /// # Errors
    /// [`DecodeError`] from [`EscapedText::append_to`].
    fn on_delta(&mut self, _text: EscapedText<'_>, _frames: &mut FrameWriter) -> Result<(), DecodeError> {
        Ok(())
    }

    /// Ends the client's stream if the log cannot be read to its end. Nothing follows.
    fn on_abort(&mut self, error: &ErrorBody, frames: &mut FrameWriter);

    /// The result of all events so far: the response to a client that does not read a stream.
    fn answer(&self) -> Response;
}
