//! Deltas of text that are passed on as they are.
//!
//! Nearly all of a log is such deltas. Their text is JSON already, and what stands around it is the same each time.

use agent_schemas::raw_delta::{RawDelta, RawKind, RawSeries};
use agent_schemas::{DecodeError, MessageType};

use super::super::wire::Delta;
use super::{Completion, Head};
use agent_server::protocol::FrameWriter;

/// The chunk of a text: what stands before it and behind.
#[derive(Debug)]
pub(super) struct Encoded {
    head: String,
    tail: String,
}

/// The content whose deltas are being passed on. Any other event ends that.
#[derive(Debug)]
pub(super) struct Passing {
    series: RawSeries,
    place: Place,
}

/// Where a text goes.
#[derive(Clone, Copy, Debug)]
enum Place {
    Content,
    Refusal,
    Reasoning,
}

impl Completion {
    /// Passes an event on if it is a delta of the text that is being written; says whether it did.
    pub(super) fn pass_on(&mut self, event: &[u8], frames: &mut FrameWriter) -> Result<bool, DecodeError> {
        let again = self.passing.as_ref().and_then(|passing| passing.series.next(event));
        let escaped = match again {
            Some(escaped) => escaped,
            None => {
                let Some(delta) = RawDelta::read(event) else { return Ok(false) };
                self.passing = self.begin_passing(&delta);
                delta.escaped
            }
        };
        let Some(Passing { place, .. }) = self.passing else { return Ok(false) };
        let (texts, said) = match place {
            Place::Content => (&mut self.content, &mut self.said.content),
            Place::Refusal => (&mut self.refusal, &mut self.said.refusal),
            Place::Reasoning => (&mut self.reasoning, &mut self.said.reasoning),
        };
        let more = texts.pass(escaped)?;
        if !frames.is_wanted() {
            said.push_str(more);
        } else if !escaped.is_empty() {
            let (head, created) = (&self.head, self.created);
            let encoded =
                self.encoded[place as usize].get_or_insert_with(|| Encoded::new(head, created, place));
            let pieces = [encoded.head.as_str(), escaped, encoded.tail.as_str()];
            frames.push_encoded(&pieces.map(str::as_bytes));
        }
        Ok(true)
    }

    fn begin_passing(&self, delta: &RawDelta<'_>) -> Option<Passing> {
        let (texts, place) = match (self.kind(delta.msg_id)?, delta.kind) {
            (MessageType::Message, RawKind::Text) => (&self.content, Place::Content),
            (MessageType::Reasoning, RawKind::Text) => (&self.reasoning, Place::Reasoning),
            (MessageType::Message, RawKind::Refusal) => (&self.refusal, Place::Refusal),
            _ => return None,
        };
        texts.is_next(delta).then(|| Passing { series: RawSeries::of(delta), place })
    }
}

impl Encoded {
    /// Cuts a chunk with an empty text in two.
    fn new(head: &Head, created: i64, place: Place) -> Self {
        let (name, delta) = match place {
            Place::Content => ("content", Delta { content: Some(Some("")), ..Delta::default() }),
            Place::Refusal => ("refusal", Delta { refusal: Some(""), ..Delta::default() }),
            Place::Reasoning => {
                ("reasoning_content", Delta { reasoning_content: Some(""), ..Delta::default() })
            }
        };
        let mut frames = FrameWriter::new();
        head.chunk(created, delta, None, &mut frames);
        let chunk = String::from_utf8_lossy(&frames.take()).into_owned();
        let start = format!("\"delta\":{{\"{name}\":\"");
        // What a client says of the model has its quotes escaped, so this is there once.
        let (head, tail) = chunk.trim_end().split_once(&start).unwrap_or_default();
        Encoded { head: [head, &start].concat(), tail: tail.to_owned() }
    }
}
