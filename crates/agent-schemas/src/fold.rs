//! The fold: combines a run's events into its response.

use crate::content::Content;
use crate::delta::{add_usage, append_body};
use crate::event::Event;
use crate::message::Message;
use crate::response::AgentResponse;
use crate::status::Status;

/// Accumulates the events of a run, as a client or the runner does.
///
/// The result does not depend on how the output was split into events. Events may start in the middle of a log: a
/// content of an unknown message opens that message, and the final response's own output is used if it has one.
///
/// ```
/// use agent_schemas::{AgentResponse, Content, Event, Fold, Message, MessageType, Status};
///
/// let mut fold = Fold::new();
/// let mut message = Message::new("msg_1", MessageType::Message);
/// message.status = Status::InProgress;
/// fold.push(&Event::Message(message.clone()));
/// for part in ["Hel", "lo"] {
///     let mut delta = Content::text(part);
///     delta.delta = Some(true);
///     delta.index = Some(0);
///     delta.msg_id = Some("msg_1".into());
///     fold.push(&Event::Content(delta));
/// }
/// assert_eq!(fold.open_messages()[0].text_content(), Some("Hello"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Fold {
    response: Option<AgentResponse>,
    open: Vec<Message>,
    closed: Vec<Message>,
}

impl Fold {
    /// Creates an empty fold.
    pub fn new() -> Self {
        Fold::default()
    }

    /// Adds the next event.
    pub fn push(&mut self, event: &Event) {
        match event {
            Event::Response(response) => self.response = Some(response.clone()),
            Event::Message(message) => self.push_message(message),
            Event::Content(content) => self.push_content(content),
            Event::Other(_) => {}
        }
    }

    fn push_message(&mut self, message: &Message) {
        let position = self.open.iter().position(|open| open.id == message.id);
        if !message.status.is_final() {
            match position {
                Some(position) if message.content.is_some() => self.open[position] = message.clone(),
                Some(_) => {}
                None => self.open.push(message.clone()),
            }
            return;
        }
        let accumulated = position.and_then(|position| self.open.remove(position).content);
        let mut message = message.clone();
        if message.content.is_none() {
            message.content = accumulated;
        }
        self.closed.push(message);
    }

    fn push_content(&mut self, event: &Content) {
        let (Some(msg_id), Some(index)) = (&event.msg_id, event.index) else {
            return;
        };
        let position = self.open.iter().position(|open| &open.id == msg_id).unwrap_or_else(|| {
            let mut message = Message::new(msg_id.clone(), crate::MessageType::Message);
            message.status = Status::InProgress;
            self.open.push(message);
            self.open.len() - 1
        });
        let contents = self.open[position].content.get_or_insert_default();
        match position_of(contents, index).and_then(|position| contents.get_mut(position)) {
            Some(known) if event.delta == Some(true) => {
                append_body(&mut known.body, &event.body);
                known.sequence_number = event.sequence_number;
            }
            Some(known) => *known = event.clone(),
            // If earlier contents were missed, the index identifies it, not the position.
            None => contents.push(Content { delta: Some(false), ..event.clone() }),
        }
    }

    /// The last response event with the accumulated output; `None` before the first one.
    ///
    /// Output and usage come from the final event if it has them, otherwise from the closed messages that did not fail.
    pub fn response(&self) -> Option<AgentResponse> {
        let mut response = self.response.clone()?;
        if response.output.is_none() && !self.closed.is_empty() {
            response.output = Some(self.output());
        }
        if response.usage.is_none() {
            let usages = self.output().into_iter().filter_map(|message| message.usage);
            response.usage = usages.reduce(|mut sum, usage| {
                add_usage(&mut sum, &usage);
                sum
            });
        }
        Some(response)
    }

    /// The closed messages in closing order, except failed ones. They become `output` of the final response.
    pub fn output(&self) -> Vec<Message> {
        self.closed.iter().filter(|message| message.status != Status::Failed).cloned().collect()
    }

    /// The messages that are still open.
    pub fn open_messages(&self) -> &[Message] {
        &self.open
    }

    /// Whether the final response has arrived.
    pub fn is_finished(&self) -> bool {
        self.response.as_ref().is_some_and(|response| response.status.is_final())
    }
}

/// The position of the content with this index, or this same position if the content there has no index.
fn position_of(contents: &[Content], index: i64) -> Option<usize> {
    let own = contents.iter().position(|content| content.index == Some(index));
    own.or_else(|| {
        let position = usize::try_from(index).ok()?;
        contents.get(position).filter(|content| content.index.is_none()).map(|_| position)
    })
}
