//! From the events of a run to the frames of a protocol.

use agent_schemas::{DecodeError, ErrorBody, Event};
use axum::response::Response;

use super::FrameWriter;

/// Translates one run's log for one client: a state machine without I/O, clock or randomness, so that every process
/// makes the same frames of the same log.
///
/// It sees a log from its beginning, as [`agent_schemas`] describes it. A client that resumes in the middle gets a
/// translator that is silent up to there. Only of a run whose response outlived its log
/// ([`response_ttl`](agent_schemas::RunOptions::response_ttl)) it may see the final event alone, for [`Self::answer`].
pub trait Translator: Send + Unpin + 'static {
    /// Takes in the next event and writes what the client is to see of it. The final event has to end the client's
    /// stream.
    fn on_event(&mut self, event: &Event, frames: &mut FrameWriter);

    /// The same for an event that is not decoded yet; a translator that passes most events on as they are can save the
    /// work.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are not an event.
    fn on_entry(&mut self, json: &[u8], frames: &mut FrameWriter) -> Result<(), DecodeError> {
        self.on_event(&Event::from_slice(json)?, frames);
        Ok(())
    }

    /// Ends the client's stream where the log cannot be read to its end. Nothing follows.
    fn on_abort(&mut self, error: &ErrorBody, frames: &mut FrameWriter);

    /// What all events so far amount to: the answer to a client that wants no stream.
    fn answer(&self) -> Response;
}
