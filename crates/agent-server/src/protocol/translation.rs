//! Feeds one run's log to a translator.

use agent_schemas::{DecodeError, ErrorBody, Event};
use axum::response::Response;

use super::event_head::event_head;
use super::text_delta::DeltaSeries;
use super::{FrameWriter, TextDelta, Translator};

/// Feeds a log to a translator, entry by entry, and decodes no more of it than the translator needs.
#[derive(Debug)]
pub struct Translation<T> {
    translator: T,
    /// The deltas that the translator relays. Any other event ends them.
    relayed: Option<DeltaSeries>,
}

impl<T: Translator> Translation<T> {
    /// Starts at the beginning of a log.
    pub fn new(translator: T) -> Self {
        Translation { translator, relayed: None }
    }

    /// Translates the next entry, the JSON of an event.
    ///
    /// # Errors
    /// [`DecodeError`] if the entry is not an event.
    pub fn on_entry(&mut self, json: &[u8], frames: &mut FrameWriter) -> Result<(), DecodeError> {
        if let Some(text) = self.relayed.as_ref().and_then(|series| series.next(json)) {
            return self.translator.on_delta(text, frames);
        }
        self.relayed = None;
        if let Some(delta) = TextDelta::read(json)
            && self.translator.begin_deltas(&delta)
        {
            self.relayed = Some(DeltaSeries::of(&delta));
            return self.translator.on_delta(delta.text, frames);
        }
        let event = match event_head(json).filter(|head| self.translator.needs_only_head(head)) {
            Some(head) => head,
            None => Event::from_slice(json)?,
        };
        self.translator.on_event(&event, frames);
        Ok(())
    }

    /// Ends the client's stream if the log cannot be read to its end.
    pub fn on_abort(&mut self, error: &ErrorBody, frames: &mut FrameWriter) {
        self.relayed = None;
        self.translator.on_abort(error, frames);
    }

    /// The translator in its current state.
    pub fn translator(&self) -> &T {
        &self.translator
    }

    /// The result of all entries so far.
    pub fn answer(&self) -> Response {
        self.translator.answer()
    }
}
