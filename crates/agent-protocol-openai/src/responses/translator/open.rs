//! Open messages and contents.

use agent_schemas::{Content, Message, MessageType};

use super::super::items::{is_agents, text_of};

/// How the contents of a message are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As parts of a message, while they grow.
    Message,
    /// As parts of reasoning, while they grow.
    Reasoning,
    /// As one call each, while they grow.
    Call,
    /// As whole items, when the message is closed.
    AtOnce,
    /// Not at all.
    Hidden,
}

impl Kind {
    fn of(message: &Message) -> Self {
        match &message.kind {
            // Input handed to a run in progress is the user's, and not output.
            MessageType::Message if message.role.is_some() && !is_agents(message) => Kind::Hidden,
            MessageType::Message => Kind::Message,
            MessageType::Reasoning => Kind::Reasoning,
            MessageType::FunctionCall
            | MessageType::PluginCall
            | MessageType::ComponentCall
            | MessageType::McpCall => Kind::Call,
            MessageType::Heartbeat | MessageType::Other(_) => Kind::Hidden,
            _ => Kind::AtOnce,
        }
    }
}

/// Whether the message is shown only once it is closed.
pub(super) fn needs_contents(message: &Message) -> bool {
    Kind::of(message) == Kind::AtOnce
}

/// Whether the message has calls.
pub(super) fn is_call(message: &Message) -> bool {
    Kind::of(message) == Kind::Call
}

/// The ids of a message's calls.
pub(super) fn call_ids(message: &Message) -> impl Iterator<Item = String> {
    message.contents().iter().filter_map(Content::as_data).map(|data| text_of(data, "call_id"))
}

/// An open message.
#[derive(Debug)]
pub(super) struct OpenMessage {
    pub(super) kind: Kind,
    /// The fields of its opening event.
    pub(super) message: Message,
    /// The position of its item, if the message has a single one.
    pub(super) item: Option<usize>,
    pub(super) contents: Vec<OpenContent>,
    /// The indexes of calls that began without a name. They are shown once they are complete.
    pub(super) nameless: Vec<i64>,
}

/// A content of an open message.
#[derive(Debug)]
pub(super) struct OpenContent {
    /// The native index.
    pub(super) index: i64,
    /// The position of its item.
    pub(super) item: usize,
    /// The position of its part in the item; calls have none.
    pub(super) part: usize,
    /// The id of the call, if it is one.
    pub(super) call_id: String,
    pub(super) is_closed: bool,
}

impl OpenMessage {
    pub(super) fn new(message: &Message) -> Self {
        let mut head = message.clone();
        head.content = None;
        OpenMessage {
            kind: Kind::of(message),
            message: head,
            item: None,
            contents: Vec::new(),
            nameless: Vec::new(),
        }
    }

    pub(super) fn content(&mut self, index: i64) -> Option<&mut OpenContent> {
        self.contents.iter_mut().find(|content| content.index == index)
    }
}

/// The index of a content; a content without one is the first.
pub(super) fn index_of(content: &Content) -> i64 {
    content.index.unwrap_or(0)
}
