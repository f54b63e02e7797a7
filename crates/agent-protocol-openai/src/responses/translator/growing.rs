//! Starts and extends messages and contents.

use agent_schemas::responses::{
    MessageItem, OutputText, ReasoningItem, ReasoningText, Refusal, ResponseItem, ResponsePart, StreamEvent,
    SummaryText,
};
use agent_schemas::{Content, ContentBody, JsonObject, Message, Status};

use super::super::attached;
use super::super::declared::CallForm;
use super::super::ids::{self, item_id, message_item_id};
use super::super::items;
use super::open::{Kind, OpenContent, OpenMessage, index_of};
use super::{Responses, Writer};
use agent_server::protocol::FrameWriter;

impl Responses {
    pub(super) fn on_opened(&mut self, message: &Message, frames: &mut FrameWriter) {
        if self.open.iter().any(|open| open.message.id == message.id) {
            return;
        }
        let mut open = OpenMessage::new(message);
        open.item = match open.kind {
            Kind::Message => {
                let id = message_item_id(&message.id);
                Some(self.begin(MessageItem { id, ..MessageItem::default() }.into(), frames))
            }
            Kind::Reasoning => {
                let id = item_id(ids::REASONING, &message.id, 0);
                Some(self.begin(ReasoningItem { id, ..ReasoningItem::default() }.into(), frames))
            }
            _ => None,
        };
        self.open.push(open);
    }

    /// Adds an item and returns its position.
    pub(super) fn begin(&mut self, mut item: ResponseItem, frames: &mut FrameWriter) -> usize {
        if let (Some(locator), Some(id)) = (&self.locator, items::own_id(&mut item)) {
            id.push_str(locator);
        }
        let place = self.response.output.len();
        self.writer.send(StreamEvent::ItemAdded { output_index: place, item: &item }, frames);
        self.response.output.push(item);
        place
    }

    pub(super) fn on_content(&mut self, content: &Content, frames: &mut FrameWriter) {
        let Some(position) = self.position_of(content) else { return };
        match self.open[position].kind {
            Kind::Message | Kind::Reasoning => self.on_part(position, content, frames),
            Kind::Call => self.on_call(position, content, frames),
            Kind::AtOnce | Kind::Hidden => {}
        }
    }

    fn position_of(&self, content: &Content) -> Option<usize> {
        let id = content.msg_id.as_deref()?;
        self.open.iter().position(|open| open.message.id == id)
    }

    fn on_part(&mut self, position: usize, content: &Content, frames: &mut FrameWriter) {
        let is_final = content.status.as_ref().is_some_and(Status::is_final);
        let (text, is_refusal) = match &content.body {
            ContentBody::Text { text } => (text.as_deref(), false),
            ContentBody::Refusal { refusal } => (refusal.as_deref(), true),
            _ if is_final => return self.on_whole_content(position, content, frames),
            // Other bodies are shown once they are complete.
            _ => return,
        };
        let Some(place) = self.part_of(position, content, is_refusal, frames) else { return };
        let text = text.unwrap_or_default();
        self.grow(&place, text, content.delta != Some(true), frames);
        if is_final {
            self.close_part(position, place.index, frames);
        }
    }

    /// The part of a content, which starts with the content's first event; `None` once it is closed.
    fn part_of(
        &mut self,
        position: usize,
        content: &Content,
        is_refusal: bool,
        frames: &mut FrameWriter,
    ) -> Option<Place> {
        let index = index_of(content);
        let open = &mut self.open[position];
        let item = open.item?;
        if let Some(known) = open.content(index) {
            return (!known.is_closed).then_some(Place { index, item, part: known.part });
        }
        let part: ResponsePart = match (open.kind, is_refusal) {
            (Kind::Reasoning, _) if self.wants_summary => SummaryText::default().into(),
            (Kind::Reasoning, _) => ReasoningText::default().into(),
            (_, true) => Refusal::default().into(),
            (_, false) => OutputText::default().into(),
        };
        let part = self.begin_part(item, part, frames)?;
        self.open[position].contents.push(OpenContent {
            index,
            item,
            part,
            call_id: String::new(),
            is_closed: false,
        });
        Some(Place { index, item, part })
    }

    /// Adds a part to an item and returns its position there.
    pub(super) fn begin_part(
        &mut self,
        item: usize,
        part: ResponsePart,
        frames: &mut FrameWriter,
    ) -> Option<usize> {
        let (item_id, parts) = parts_of(self.response.output.get_mut(item)?, self.wants_summary)?;
        let place = parts.len();
        let (output_index, part_ref) = (item, &part);
        let event = match part_ref {
            ResponsePart::SummaryText(_) => {
                StreamEvent::SummaryPartAdded { item_id, output_index, summary_index: place, part: part_ref }
            }
            _ => StreamEvent::PartAdded { item_id, output_index, content_index: place, part: part_ref },
        };
        self.writer.send(event, frames);
        parts.push(part);
        Some(place)
    }

    /// Appends to a part; if `is_whole`, only the text beyond what is already there.
    pub(super) fn grow(&mut self, place: &Place, text: &str, is_whole: bool, frames: &mut FrameWriter) {
        let item = self.response.output.get_mut(place.item);
        let Some((id, parts)) = item.and_then(|item| parts_of(item, self.wants_summary)) else { return };
        let Some(part) = parts.get_mut(place.part) else { return };
        let (output_index, content_index) = (place.item, place.part);
        match part {
            ResponsePart::OutputText(part) => {
                if let Some(delta) = grown(&mut part.text, text, is_whole) {
                    let event = StreamEvent::TextDelta {
                        item_id: id,
                        output_index,
                        content_index,
                        delta,
                        logprobs: &[],
                    };
                    self.writer.send(event, frames);
                }
            }
            ResponsePart::Refusal(part) => {
                if let Some(delta) = grown(&mut part.refusal, text, is_whole) {
                    let event = StreamEvent::RefusalDelta { item_id: id, output_index, content_index, delta };
                    self.writer.send(event, frames);
                }
            }
            ResponsePart::ReasoningText(part) => {
                if let Some(delta) = grown(&mut part.text, text, is_whole) {
                    let event =
                        StreamEvent::ReasoningDelta { item_id: id, output_index, content_index, delta };
                    self.writer.send(event, frames);
                }
            }
            ResponsePart::SummaryText(part) => {
                if let Some(delta) = grown(&mut part.text, text, is_whole) {
                    let summary_index = place.part;
                    let event = StreamEvent::SummaryDelta { item_id: id, output_index, summary_index, delta };
                    self.writer.send(event, frames);
                }
            }
            _ => {}
        }
    }

    fn on_call(&mut self, position: usize, content: &Content, frames: &mut FrameWriter) {
        let Some(data) = content.as_data() else { return };
        let index = index_of(content);
        let is_final = content.status.as_ref().is_some_and(Status::is_final);
        let open = &mut self.open[position];
        let is_known = open.content(index).is_some();
        let waits = open.nameless.contains(&index) || items::text_of(data, "name").is_empty();
        if !is_known && waits && !is_final {
            // Its name decides how it is shown.
            open.nameless.push(index);
            return;
        }
        let Some(place) = self.call_of(position, index, data, frames) else { return };
        if let Some(known) = self.open[position].content(index).filter(|known| known.call_id.is_empty()) {
            known.call_id = items::text_of(data, "call_id");
        }
        if let Some(item) = self.response.output.get_mut(place) {
            let is_whole = content.delta != Some(true);
            grow_call(item, place, data, is_whole, &mut self.writer, frames);
        }
        if is_final {
            self.close_call(position, index, content.status.as_ref(), frames);
        }
    }

    /// The position of a call's item, which starts with its content's first event; `None` once it is closed.
    fn call_of(
        &mut self,
        position: usize,
        index: i64,
        data: &JsonObject,
        frames: &mut FrameWriter,
    ) -> Option<usize> {
        let open = &mut self.open[position];
        if let Some(known) = open.content(index) {
            return (!known.is_closed).then_some(known.item);
        }
        let number = open.contents.len();
        // The arguments follow as they grow.
        let mut head = data.clone();
        head.shift_remove("arguments");
        let form = self.declared.form_of(&open.message.kind, data);
        let mut item: ResponseItem = match form {
            CallForm::Function => items::function_call(&open.message, number, &head).into(),
            CallForm::Custom => items::custom_call(&open.message, number, &head)?.into(),
            CallForm::Own => items::own_call(&open.message, number, &head).into(),
        };
        match &mut item {
            ResponseItem::CustomToolCall(call) => call.input.clear(),
            ResponseItem::McpCall(call) => call.arguments.clear(),
            _ => {}
        }
        let item = self.begin(item, frames);
        if let Some(ResponseItem::McpCall(call)) = self.response.output.get(item) {
            self.writer.send(StreamEvent::McpInProgress { item_id: &call.id, output_index: item }, frames);
        }
        let call_id = items::text_of(data, "call_id");
        self.open[position].contents.push(OpenContent { index, item, part: 0, call_id, is_closed: false });
        Some(item)
    }
}

/// The position of a part.
pub(super) struct Place {
    pub(super) index: i64,
    pub(super) item: usize,
    pub(super) part: usize,
}

/// The id and the parts of an item that has parts; those of reasoning may be its summary.
pub(super) fn parts_of(
    item: &mut ResponseItem,
    wants_summary: bool,
) -> Option<(&str, &mut Vec<ResponsePart>)> {
    match item {
        ResponseItem::Message(item) => Some((&item.id, &mut item.content)),
        ResponseItem::Reasoning(item) => {
            let parts = if wants_summary { &mut item.summary } else { &mut item.content };
            Some((&item.id, parts))
        }
        _ => None,
    }
}

/// Appends a text and returns what is new. A complete text that does not begin with what was sent cannot be sent as a delta: it
/// replaces the known text, and the end of the part carries it.
fn grown<'a>(known: &mut String, text: &'a str, is_whole: bool) -> Option<&'a str> {
    let new = if is_whole { text.strip_prefix(known.as_str()) } else { Some(text) };
    match new {
        Some(new) => known.push_str(new),
        None => text.clone_into(known),
    }
    new.filter(|new| !new.is_empty())
}

fn grow_call(
    item: &mut ResponseItem,
    output_index: usize,
    data: &JsonObject,
    is_whole: bool,
    writer: &mut Writer,
    frames: &mut FrameWriter,
) {
    let text = |key: &str| data.get(key).and_then(agent_schemas::Json::as_str);
    let name = |known: &mut String, key: &str| {
        if let Some(text) = text(key).filter(|_| known.is_empty()) {
            text.clone_into(known);
        }
    };
    match item {
        ResponseItem::FunctionCall(call) => {
            name(&mut call.call_id, "call_id");
            name(&mut call.name, "name");
            if is_whole {
                call.extra = attached::of_call(data);
            }
            if let Some(delta) = grown(&mut call.arguments, text("arguments").unwrap_or_default(), is_whole) {
                writer.send(StreamEvent::ArgumentsDelta { item_id: &call.id, output_index, delta }, frames);
            }
        }
        ResponseItem::CustomToolCall(call) => {
            if is_whole {
                call.extra = attached::of_call(data);
            }
            if let Some(delta) = grown(&mut call.input, text("input").unwrap_or_default(), is_whole) {
                writer.send(StreamEvent::CustomInputDelta { item_id: &call.id, output_index, delta }, frames);
            }
        }
        ResponseItem::McpCall(call) => {
            name(&mut call.name, "name");
            if is_whole {
                call.extra = attached::of_call(data);
            }
            let arguments =
                if is_whole { items::own_arguments(data) } else { text("arguments").map(str::to_owned) };
            if let Some(delta) = grown(&mut call.arguments, &arguments.unwrap_or_default(), is_whole) {
                writer
                    .send(StreamEvent::McpArgumentsDelta { item_id: &call.id, output_index, delta }, frames);
            }
        }
        _ => {}
    }
}
