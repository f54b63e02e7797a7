//! Deltas of text that are passed on as they are.
//!
//! Nearly all of a log is such deltas. Their text is JSON already, and what stands around it is the same each time.

use agent_schemas::DecodeError;
use agent_schemas::raw_delta::{RawDelta, RawKind};
use agent_schemas::responses::ResponsePart;
use agent_schemas::sse::{write_escaped, write_number};

use super::Responses;
use super::growing::parts_of;
use super::open::EncodedDelta;
use crate::protocol::Frames;

impl Responses {
    /// Passes a delta on if its part has begun; says whether it did.
    pub(super) fn on_raw_delta(
        &mut self,
        delta: &RawDelta<'_>,
        frames: &mut Frames,
    ) -> Result<bool, DecodeError> {
        let open = self.open.iter_mut().find(|open| open.message.id == delta.msg_id);
        let content = open.and_then(|open| open.content(delta.index));
        let Some(content) = content.filter(|content| !content.is_closed) else { return Ok(false) };
        let (item, part) = (content.item, content.part);
        let Some((id, parts)) = self.response.output.get_mut(item).and_then(parts_of) else {
            return Ok(false);
        };
        let (name, end, text) = match (parts.get_mut(part), delta.kind) {
            (Some(ResponsePart::OutputText(part)), RawKind::Text) => {
                ("response.output_text.delta", b"\",\"logprobs\":[]}".as_slice(), &mut part.text)
            }
            (Some(ResponsePart::ReasoningText(part)), RawKind::Text) => {
                ("response.reasoning_text.delta", b"\"}".as_slice(), &mut part.text)
            }
            (Some(ResponsePart::Refusal(part)), RawKind::Refusal) => {
                ("response.refusal.delta", b"\"}".as_slice(), &mut part.refusal)
            }
            _ => return Ok(false),
        };
        delta.append_to(text)?;
        if delta.escaped.is_empty() {
            return Ok(true);
        }
        let Some(number) = self.writer.number().filter(|_| frames.is_wanted()) else { return Ok(true) };
        if content.frame.head.is_empty() {
            content.frame = EncodedDelta::new(name, id, item, part, end);
        }
        let EncodedDelta { head, tail, end } = &content.frame;
        let mut digits = Vec::with_capacity(20);
        write_number(&mut digits, number);
        frames.push_encoded(&[head, &digits, tail, delta.escaped.as_bytes(), end]);
        Ok(true)
    }
}

impl EncodedDelta {
    /// The same as [`agent_schemas::responses::Numbered`] writes; the first delta of each content is written there.
    fn new(name: &str, id: &str, item: usize, part: usize, end: &'static [u8]) -> Self {
        let head = format!("event: {name}\ndata: {{\"type\":\"{name}\",\"sequence_number\":").into_bytes();
        let mut tail = b",\"item_id\":\"".to_vec();
        write_escaped(&mut tail, id);
        let rest = format!("\",\"output_index\":{item},\"content_index\":{part},\"delta\":\"");
        tail.extend_from_slice(rest.as_bytes());
        EncodedDelta { head, tail, end }
    }
}
