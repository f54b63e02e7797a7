//! Deltas of text that are passed on as they are.
//!
//! Nearly all of a log is such deltas. Their text is JSON already, and what stands around it is the same each time.

use agent_schemas::raw_delta::{RawDelta, RawKind};
use agent_schemas::{DecodeError, MessageType};

use super::super::wire::Delta;
use super::{Completion, Head};
use crate::protocol::Frames;

/// The chunk of a text: what stands before it and behind.
#[derive(Debug)]
pub(super) struct Encoded {
    head: String,
    tail: String,
}

/// Where a text goes.
#[derive(Clone, Copy)]
enum Place {
    Content,
    Refusal,
    Reasoning,
}

impl Completion {
    /// Passes a delta on if its text is being written; says whether it did.
    pub(super) fn on_raw_delta(
        &mut self,
        delta: &RawDelta<'_>,
        frames: &mut Frames,
    ) -> Result<bool, DecodeError> {
        let place = match (self.kind(delta.msg_id), delta.kind) {
            (Some(MessageType::Message), RawKind::Text) => Place::Content,
            (Some(MessageType::Reasoning), RawKind::Text) => Place::Reasoning,
            (Some(MessageType::Message), RawKind::Refusal) => Place::Refusal,
            _ => return Ok(false),
        };
        let (texts, said) = match place {
            Place::Content => (&mut self.content, &mut self.said.content),
            Place::Refusal => (&mut self.refusal, &mut self.said.refusal),
            Place::Reasoning => (&mut self.reasoning, &mut self.said.reasoning),
        };
        let Some(more) = texts.pass(delta)? else { return Ok(false) };
        if !frames.is_wanted() {
            said.push_str(more);
        } else if !delta.escaped.is_empty() {
            let (head, created) = (&self.head, self.created);
            let encoded =
                self.encoded[place as usize].get_or_insert_with(|| Encoded::new(head, created, place));
            let pieces = [encoded.head.as_str(), delta.escaped, encoded.tail.as_str()];
            frames.push_encoded(&pieces.map(str::as_bytes));
        }
        Ok(true)
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
        let mut frames = Frames::new();
        head.chunk(created, delta, None, &mut frames);
        let chunk = String::from_utf8_lossy(&frames.take()).into_owned();
        let start = format!("\"delta\":{{\"{name}\":\"");
        // What a client says of the model has its quotes escaped, so this is there once.
        let (head, tail) = chunk.trim_end().split_once(&start).unwrap_or_default();
        Encoded { head: [head, &start].concat(), tail: tail.to_owned() }
    }
}
