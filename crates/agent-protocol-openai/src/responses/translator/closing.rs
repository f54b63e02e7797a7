//! Closes contents, messages and items.

use agent_schemas::responses::{
    ImageGenerationItem, ItemStatus, McpCallItem, MessageItem, OutputText, ResponseItem, ResponsePart,
    StreamEvent,
};
use agent_schemas::{Content, ContentBody, Message, MessageType, Status};

use super::super::attached;
use super::super::items::{self, Answer};
use super::Responses;
use super::growing::{Place, parts_of};
use super::open::{Kind, OpenMessage};
use agent_server::protocol::FrameWriter;

impl Responses {
    pub(super) fn on_closed(&mut self, message: &Message, frames: &mut FrameWriter) {
        if !self.open.iter().any(|open| open.message.id == message.id) {
            self.on_opened(message, frames);
        }
        let Some(position) = self.open.iter().position(|open| open.message.id == message.id) else { return };
        self.note_why_it_ends(message);
        match self.open[position].kind {
            Kind::AtOnce => self.show_at_once(message, frames),
            _ => {
                self.attach_to(position, message);
                self.close_message(position, &message.status, frames);
            }
        }
        self.open.remove(position);
    }

    /// Adds what a model server attached to a message to its item.
    fn attach_to(&mut self, position: usize, message: &Message) {
        let item = self.open[position].item;
        match item.and_then(|place| self.response.output.get_mut(place)) {
            Some(ResponseItem::Message(item)) => item.extra = attached::of_message(message),
            Some(ResponseItem::Reasoning(item)) => item.extra = attached::of_message(message),
            _ => {}
        }
    }

    /// Notes whether the model was cut off, which its last message says. A further message from the agent clears the
    /// note.
    fn note_why_it_ends(&mut self, message: &Message) {
        if items::is_agents(message) {
            self.cut_short = None;
        }
        let reason = message.metadata.as_ref().and_then(|metadata| metadata.get("finish_reason")?.as_str());
        match reason {
            Some("length") => self.cut_short = Some("max_output_tokens"),
            Some("content_filter") => self.cut_short = Some("content_filter"),
            _ => {}
        }
    }

    /// Ends everything that is open when a log ends.
    pub(super) fn close_all(&mut self, status: &Status, frames: &mut FrameWriter) {
        for position in 0..self.open.len() {
            self.close_message(position, status, frames);
        }
        self.open.clear();
        for (_, item) in std::mem::take(&mut self.unanswered) {
            self.end_own_call(item, None, frames);
        }
    }

    fn close_message(&mut self, position: usize, status: &Status, frames: &mut FrameWriter) {
        let OpenMessage { kind, item, contents, .. } = &self.open[position];
        let (kind, item) = (*kind, *item);
        let open: Vec<i64> =
            contents.iter().filter(|content| !content.is_closed).map(|content| content.index).collect();
        for index in open {
            match kind {
                Kind::Call => self.close_call(position, index, Some(status), frames),
                _ => self.close_part(position, index, frames),
            }
        }
        let Some(place) = item else { return };
        // The model could not finish this one, so it is incomplete.
        let status = if self.cut_short.is_some() { ItemStatus::Incomplete } else { items::ended(status) };
        match self.response.output.get_mut(place) {
            Some(ResponseItem::Message(item)) => item.status = status,
            Some(ResponseItem::Reasoning(item)) => item.status = status,
            _ => {}
        }
        self.end_item(place, frames);
    }

    fn end_item(&mut self, place: usize, frames: &mut FrameWriter) {
        if let Some(item) = self.response.output.get(place) {
            self.writer.send(StreamEvent::ItemDone { output_index: place, item }, frames);
        }
    }

    pub(super) fn close_part(&mut self, position: usize, index: i64, frames: &mut FrameWriter) {
        let Some(content) = self.open[position].content(index).filter(|content| !content.is_closed) else {
            return;
        };
        content.is_closed = true;
        let (item, part) = (content.item, content.part);
        self.end_part(item, part, frames);
    }

    fn end_part(&mut self, output_index: usize, content_index: usize, frames: &mut FrameWriter) {
        let item = self.response.output.get_mut(output_index);
        let Some((item_id, parts)) = item.and_then(|item| parts_of(item, self.wants_summary)) else { return };
        let Some(part) = parts.get(content_index) else { return };
        let done = match part {
            ResponsePart::OutputText(part) => StreamEvent::TextDone {
                item_id,
                output_index,
                content_index,
                text: &part.text,
                logprobs: &[],
            },
            ResponsePart::Refusal(part) => {
                StreamEvent::RefusalDone { item_id, output_index, content_index, refusal: &part.refusal }
            }
            ResponsePart::ReasoningText(part) => {
                StreamEvent::ReasoningDone { item_id, output_index, content_index, text: &part.text }
            }
            ResponsePart::SummaryText(part) => {
                let summary_index = content_index;
                StreamEvent::SummaryDone { item_id, output_index, summary_index, text: &part.text }
            }
            _ => return,
        };
        self.writer.send(done, frames);
        let part_done = match part {
            ResponsePart::SummaryText(_) => {
                StreamEvent::SummaryPartDone { item_id, output_index, summary_index: content_index, part }
            }
            _ => StreamEvent::PartDone { item_id, output_index, content_index, part },
        };
        self.writer.send(part_done, frames);
    }

    /// Shows a content that is not text: an image as a separate item, others as text if possible.
    pub(super) fn on_whole_content(&mut self, position: usize, content: &Content, frames: &mut FrameWriter) {
        let open = &self.open[position];
        let Some(item) = open.item.filter(|_| open.kind == Kind::Message) else { return };
        if let ContentBody::Image { image_url: Some(url) } = &content.body {
            let number = usize::try_from(content.index.unwrap_or(0)).unwrap_or(0);
            if let Some(picture) = items::picture(&open.message, number, url) {
                return self.show_picture(picture, frames);
            }
        }
        let Some(ResponsePart::OutputText(whole)) = items::part(&content.body, true) else { return };
        self.show_part(item, &whole.text, frames);
    }

    /// Adds a text to an item as a part that starts and ends at once.
    fn show_part(&mut self, item: usize, text: &str, frames: &mut FrameWriter) {
        if let Some(part) = self.begin_part(item, OutputText::default().into(), frames) {
            self.grow(&Place { index: 0, item, part }, text, true, frames);
            self.end_part(item, part, frames);
        }
    }

    fn show_picture(&mut self, whole: ImageGenerationItem, frames: &mut FrameWriter) {
        let begun = ImageGenerationItem { status: ItemStatus::InProgress, result: None, ..whole.clone() };
        let output_index = self.begin(begun.into(), frames);
        let Some(ResponseItem::ImageGeneration(item)) = self.response.output.get_mut(output_index) else {
            return;
        };
        (item.status, item.result) = (whole.status, whole.result);
        let item_id = &item.id;
        self.writer.send(StreamEvent::ImageInProgress { item_id, output_index }, frames);
        self.writer.send(StreamEvent::ImageCompleted { item_id, output_index }, frames);
        self.end_item(output_index, frames);
    }

    pub(super) fn close_call(
        &mut self,
        position: usize,
        index: i64,
        status: Option<&Status>,
        frames: &mut FrameWriter,
    ) {
        let Some(content) = self.open[position].content(index).filter(|content| !content.is_closed) else {
            return;
        };
        content.is_closed = true;
        let (output_index, call_id) = (content.item, std::mem::take(&mut content.call_id));
        self.calls.push(call_id.clone());
        let status = status.map_or(ItemStatus::Completed, items::ended);
        match self.response.output.get_mut(output_index) {
            Some(ResponseItem::FunctionCall(call)) => {
                call.status = status;
                let (name, arguments) = (&*call.name, &*call.arguments);
                let done = StreamEvent::ArgumentsDone { item_id: &call.id, output_index, name, arguments };
                self.writer.send(done, frames);
            }
            Some(ResponseItem::CustomToolCall(call)) => {
                call.status = status;
                let done =
                    StreamEvent::CustomInputDone { item_id: &call.id, output_index, input: &call.input };
                self.writer.send(done, frames);
            }
            Some(ResponseItem::McpCall(call)) => {
                let arguments = &*call.arguments;
                let done = StreamEvent::McpArgumentsDone { item_id: &call.id, output_index, arguments };
                self.writer.send(done, frames);
                if status == ItemStatus::Incomplete {
                    return self.end_own_call(output_index, None, frames);
                }
                // Its item ends with the tool's output.
                return self.await_answer(call_id, output_index, frames);
            }
            _ => {}
        }
        self.end_item(output_index, frames);
    }

    /// Shows a message whose items start and end at once.
    fn show_at_once(&mut self, message: &Message, frames: &mut FrameWriter) {
        if is_answer(message) {
            return self.answer_calls(message, frames);
        }
        for item in items::of_message(message) {
            if let ResponseItem::Message(item) = item {
                self.show_text(item, frames);
                continue;
            }
            let failed = matches!(&item, ResponseItem::McpListTools(list) if list.error.is_some());
            let place = self.begin(item, frames);
            if let Some(ResponseItem::McpListTools(list)) = self.response.output.get(place) {
                let (item_id, output_index) = (&*list.id, place);
                self.writer.send(StreamEvent::McpListInProgress { item_id, output_index }, frames);
                let end = if failed {
                    StreamEvent::McpListFailed { item_id, output_index }
                } else {
                    StreamEvent::McpListCompleted { item_id, output_index }
                };
                self.writer.send(end, frames);
            }
            self.end_item(place, frames);
        }
    }

    /// Shows a message whose growth was not seen.
    fn show_text(&mut self, whole: MessageItem, frames: &mut FrameWriter) {
        let (begun, status) = (MessageItem { id: whole.id, ..MessageItem::default() }, whole.status);
        let item = self.begin(begun.into(), frames);
        for part in whole.content {
            if let ResponsePart::OutputText(text) = part {
                self.show_part(item, &text.text, frames);
            }
        }
        if let Some(ResponseItem::Message(item)) = self.response.output.get_mut(item) {
            item.status = status;
        }
        self.end_item(item, frames);
    }

    /// Adds outputs to their calls. An own call that an earlier response has made, before its approval, gets an item of its
    /// own here. Other outputs are not shown: clients send outputs, and receive none.
    fn answer_calls(&mut self, message: &Message, frames: &mut FrameWriter) {
        for (index, answer) in Answer::all_of(message).into_iter().enumerate() {
            if let Some(position) = self.unanswered.iter().position(|(id, _)| *id == answer.call_id) {
                let (_, item) = self.unanswered.remove(position);
                self.end_own_call(item, Some(answer), frames);
                continue;
            }
            match items::call_of_answer(message, index) {
                Some(call) if !self.has_call(&answer.call_id) => {
                    let place = self.begin_own_call(call, frames);
                    self.end_own_call(place, Some(answer), frames);
                }
                _ => self.early_answers.push(answer),
            }
        }
    }

    /// Whether this response has a call with this id, or may have one: one without a name is not known yet.
    fn has_call(&self, call_id: &str) -> bool {
        let is_open = self.open.iter().any(|open| {
            !open.nameless.is_empty() || open.contents.iter().any(|content| content.call_id == call_id)
        });
        is_open || self.calls.iter().any(|known| known == call_id)
    }

    /// Shows a call whose arguments are known as a whole.
    fn begin_own_call(&mut self, mut call: McpCallItem, frames: &mut FrameWriter) -> usize {
        let arguments = std::mem::take(&mut call.arguments);
        let output_index = self.begin(call.into(), frames);
        if let Some(ResponseItem::McpCall(call)) = self.response.output.get_mut(output_index) {
            let (item_id, delta) = (&*call.id, &*arguments);
            self.writer.send(StreamEvent::McpInProgress { item_id, output_index }, frames);
            self.writer.send(StreamEvent::McpArgumentsDelta { item_id, output_index, delta }, frames);
            let done = StreamEvent::McpArgumentsDone { item_id, output_index, arguments: delta };
            self.writer.send(done, frames);
            call.arguments = arguments;
        }
        output_index
    }

    /// Ends the item of a complete call if its output came before; otherwise it ends with the output.
    fn await_answer(&mut self, call_id: String, item: usize, frames: &mut FrameWriter) {
        match self.early_answers.iter().position(|answer| answer.call_id == call_id) {
            Some(position) => {
                let answer = self.early_answers.remove(position);
                self.end_own_call(item, Some(answer), frames);
            }
            None => self.unanswered.push((call_id, item)),
        }
    }

    /// Ends the item of a call that the agent executed itself; without an output, it is incomplete.
    fn end_own_call(&mut self, output_index: usize, answer: Option<Answer>, frames: &mut FrameWriter) {
        let Some(ResponseItem::McpCall(call)) = self.response.output.get_mut(output_index) else { return };
        match answer {
            Some(answer) => answer.put_into(call),
            None => call.status = ItemStatus::Incomplete,
        }
        let item_id = &call.id;
        let end = match call.status {
            ItemStatus::Completed => StreamEvent::McpCompleted { item_id, output_index },
            _ => StreamEvent::McpFailed { item_id, output_index },
        };
        self.writer.send(end, frames);
        self.end_item(output_index, frames);
    }
}

fn is_answer(message: &Message) -> bool {
    matches!(
        message.kind,
        MessageType::FunctionCallOutput
            | MessageType::PluginCallOutput
            | MessageType::ComponentCallOutput
            | MessageType::McpCallOutput
    )
}
