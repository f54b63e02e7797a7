//! Deltas of text, relayed as the JSON they already are.

use agent_schemas::{DecodeError, MessageType};
use agent_server::protocol::{DeltaFrame, EscapedText, FrameWriter, TextDelta, TextKind};

use super::super::wire::Delta;
use super::{Completion, Head};

/// The destination of a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Content,
    Refusal,
    Reasoning,
}

impl Completion {
    /// The destination of the next deltas of a text, if it is the one that is being written.
    pub(super) fn place_of(&self, delta: &TextDelta<'_>) -> Option<Place> {
        let (texts, place) = match (self.kind(delta.msg_id)?, delta.kind) {
            (MessageType::Message, TextKind::Text) => (&self.content, Place::Content),
            (MessageType::Reasoning, TextKind::Text) => (&self.reasoning, Place::Reasoning),
            (MessageType::Message, TextKind::Refusal) => (&self.refusal, Place::Refusal),
            _ => return None,
        };
        texts.is_next(delta).then_some(place)
    }

    /// Handles a delta of that text, and relays it.
    pub(super) fn relay(
        &mut self,
        place: Place,
        text: EscapedText<'_>,
        frames: &mut FrameWriter,
    ) -> Result<(), DecodeError> {
        let (texts, said) = match place {
            Place::Content => (&mut self.content, &mut self.said.content),
            Place::Refusal => (&mut self.refusal, &mut self.said.refusal),
            Place::Reasoning => (&mut self.reasoning, &mut self.said.reasoning),
        };
        let more = texts.append(text)?;
        if !frames.is_wanted() {
            said.push_str(more);
        } else if !text.is_empty() {
            let (head, created) = (&self.head, self.created);
            let frame = self.frames[place as usize].get_or_insert_with(|| frame(head, created, place));
            frames.push_delta(frame, None, text);
        }
        Ok(())
    }
}

/// A chunk with an empty text, split where the text goes.
fn frame(head: &Head, created: i64, place: Place) -> DeltaFrame {
    let (name, delta) = match place {
        Place::Content => ("content", Delta { content: Some(Some("")), ..Delta::default() }),
        Place::Refusal => ("refusal", Delta { refusal: Some(""), ..Delta::default() }),
        Place::Reasoning => ("reasoning_content", Delta { reasoning_content: Some(""), ..Delta::default() }),
    };
    let mut frames = FrameWriter::new();
    head.chunk(created, delta, None, &mut frames);
    let chunk = String::from_utf8_lossy(&frames.take()).into_owned();
    let start = format!("\"delta\":{{\"{name}\":\"");
    // The model's name comes from the client, but its quotes are escaped, so the start occurs only once.
    let (before, after) = chunk.trim_end().split_once(&start).unwrap_or_default();
    DeltaFrame::new([before, &start].concat(), after)
}
