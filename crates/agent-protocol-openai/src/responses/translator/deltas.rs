//! Deltas of text, relayed as the JSON they already are.

use agent_schemas::DecodeError;
use agent_schemas::responses::ResponsePart;
use agent_schemas::sse::write_escaped;
use agent_server::protocol::{DeltaFrame, EscapedText, FrameWriter, TextDelta, TextKind};

use super::Responses;
use super::growing::parts_of;

/// The part whose deltas are relayed, and the frame around them.
#[derive(Debug)]
pub(super) struct Relayed {
    item: usize,
    part: usize,
    frame: DeltaFrame,
}

impl Responses {
    /// The part that the next deltas of a text belong to, if it has started.
    pub(super) fn relayed_part(&mut self, delta: &TextDelta<'_>) -> Option<Relayed> {
        let open = self.open.iter_mut().find(|open| open.message.id == delta.msg_id)?;
        let content = open.content(delta.index).filter(|content| !content.is_closed)?;
        let (item, part) = (content.item, content.part);
        let (id, parts) = parts_of(self.response.output.get_mut(item)?, self.wants_summary)?;
        let (name, index, suffix) = match (parts.get(part)?, delta.kind) {
            (ResponsePart::OutputText(_), TextKind::Text) => {
                ("response.output_text.delta", "content_index", "\",\"logprobs\":[]}")
            }
            (ResponsePart::ReasoningText(_), TextKind::Text) => {
                ("response.reasoning_text.delta", "content_index", "\"}")
            }
            (ResponsePart::SummaryText(_), TextKind::Text) => {
                ("response.reasoning_summary_text.delta", "summary_index", "\"}")
            }
            (ResponsePart::Refusal(_), TextKind::Refusal) => {
                ("response.refusal.delta", "content_index", "\"}")
            }
            _ => return None,
        };
        let mut prefix = b",\"item_id\":\"".to_vec();
        write_escaped(&mut prefix, id);
        prefix.extend(format!("\",\"output_index\":{item},\"{index}\":{part},\"delta\":\"").bytes());
        let before_number = format!("event: {name}\ndata: {{\"type\":\"{name}\",\"sequence_number\":");
        let frame = DeltaFrame::new(prefix, suffix).with_number_after(before_number);
        Some(Relayed { item, part, frame })
    }

    /// Handles a delta of that part, and relays it.
    pub(super) fn relay(
        &mut self,
        text: EscapedText<'_>,
        frames: &mut FrameWriter,
    ) -> Result<(), DecodeError> {
        let Some(Relayed { item, part, frame }) = &self.relayed else { return Ok(()) };
        let parts = self.response.output.get_mut(*item).and_then(|item| parts_of(item, self.wants_summary));
        let known = match parts.and_then(|(_, parts)| parts.get_mut(*part)) {
            Some(ResponsePart::OutputText(part)) => &mut part.text,
            Some(ResponsePart::ReasoningText(part)) => &mut part.text,
            Some(ResponsePart::SummaryText(part)) => &mut part.text,
            Some(ResponsePart::Refusal(part)) => &mut part.refusal,
            _ => return Ok(()),
        };
        text.append_to(known)?;
        if !text.is_empty()
            && let Some(number) = self.writer.number()
        {
            frames.push_delta(frame, Some(number), text);
        }
        Ok(())
    }
}
