//! Deltas of text that are passed on as they are.
//!
//! Nearly all of a log is such deltas, one behind the other of the same content. Their text is JSON already, and what stands
//! around it in the client's event is the same each time.

use agent_schemas::DecodeError;
use agent_schemas::raw_delta::{RawDelta, RawKind, RawSeries};
use agent_schemas::responses::ResponsePart;
use agent_schemas::sse::{write_escaped, write_number};

use super::Responses;
use super::growing::parts_of;
use agent_server::protocol::FrameWriter;

/// The content whose deltas are being passed on. Any other event ends that.
#[derive(Debug)]
pub(super) struct Passing {
    item: usize,
    part: usize,
    series: RawSeries,
    /// What the client's frame has before the number, between it and the text, and behind the text.
    head: Vec<u8>,
    middle: Vec<u8>,
    end: &'static [u8],
    /// The digits of the number.
    digits: Vec<u8>,
}

impl Responses {
    /// Passes an event on if it is a delta of a part that has begun; says whether it did.
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
        let Some(passing) = &mut self.passing else { return Ok(false) };
        let parts = self.response.output.get_mut(passing.item).and_then(parts_of);
        let part = parts.and_then(|(_, parts)| parts.get_mut(passing.part));
        let text = match part {
            Some(ResponsePart::OutputText(part)) => &mut part.text,
            Some(ResponsePart::ReasoningText(part)) => &mut part.text,
            Some(ResponsePart::Refusal(part)) => &mut part.refusal,
            _ => return Ok(false),
        };
        RawDelta::append(escaped, text)?;
        if escaped.is_empty() {
            return Ok(true);
        }
        if let Some(number) = self.writer.number().filter(|_| frames.is_wanted()) {
            let Passing { head, digits, middle, end, .. } = passing;
            digits.clear();
            write_number(digits, number);
            frames.push_encoded(&[head, digits, middle, escaped.as_bytes(), end]);
        }
        Ok(true)
    }

    fn begin_passing(&mut self, delta: &RawDelta<'_>) -> Option<Passing> {
        let open = self.open.iter_mut().find(|open| open.message.id == delta.msg_id)?;
        let content = open.content(delta.index).filter(|content| !content.is_closed)?;
        let (item, part) = (content.item, content.part);
        let (id, parts) = self.response.output.get_mut(item).and_then(parts_of)?;
        let (name, end) = match (parts.get(part)?, delta.kind) {
            (ResponsePart::OutputText(_), RawKind::Text) => {
                ("response.output_text.delta", b"\",\"logprobs\":[]}".as_slice())
            }
            (ResponsePart::ReasoningText(_), RawKind::Text) => {
                ("response.reasoning_text.delta", b"\"}".as_slice())
            }
            (ResponsePart::Refusal(_), RawKind::Refusal) => ("response.refusal.delta", b"\"}".as_slice()),
            _ => return None,
        };
        let head = format!("event: {name}\ndata: {{\"type\":\"{name}\",\"sequence_number\":").into_bytes();
        let mut middle = b",\"item_id\":\"".to_vec();
        write_escaped(&mut middle, id);
        let rest = format!("\",\"output_index\":{item},\"content_index\":{part},\"delta\":\"");
        middle.extend_from_slice(rest.as_bytes());
        Some(Passing { item, part, series: RawSeries::of(delta), head, middle, end, digits: Vec::new() })
    }
}
