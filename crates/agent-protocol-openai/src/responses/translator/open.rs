//! What is open.

use agent_schemas::{Content, Message, MessageType};

use super::super::items::is_agents;

/// How the contents of a message are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As the parts of a message, while they grow.
    Message,
    /// As the parts of reasoning, while they grow.
    Reasoning,
    /// As a call each, while they grow.
    Call,
    /// The same for calls of MCP tools.
    McpCall,
    /// As whole items, when the message is closed.
    AtOnce,
    /// Not at all.
    Hidden,
}

impl Kind {
    fn of(message: &Message) -> Self {
        match &message.kind {
            // What is handed to a run on its way is the user's, and no output.
            MessageType::Message if message.role.is_some() && !is_agents(message) => Kind::Hidden,
            MessageType::Message => Kind::Message,
            MessageType::Reasoning => Kind::Reasoning,
            MessageType::FunctionCall | MessageType::PluginCall | MessageType::ComponentCall => Kind::Call,
            MessageType::McpCall => Kind::McpCall,
            MessageType::Heartbeat | MessageType::Other(_) => Kind::Hidden,
            _ => Kind::AtOnce,
        }
    }
}

/// Whether what a message says is shown only once it is closed.
pub(super) fn needs_contents(message: &Message) -> bool {
    Kind::of(message) == Kind::AtOnce
}

/// A message that is open.
#[derive(Debug)]
pub(super) struct OpenMessage {
    pub(super) kind: Kind,
    /// What its opening said.
    pub(super) message: Message,
    /// The place of its item, where it has one of its own.
    pub(super) item: Option<usize>,
    pub(super) contents: Vec<OpenContent>,
}

/// A content of such a message.
#[derive(Debug)]
pub(super) struct OpenContent {
    /// Our number.
    pub(super) index: i64,
    /// The place of its item.
    pub(super) item: usize,
    /// The place of its part in the item; calls have none.
    pub(super) part: usize,
    pub(super) is_closed: bool,
}

impl OpenMessage {
    pub(super) fn new(message: &Message) -> Self {
        let mut head = message.clone();
        head.content = None;
        OpenMessage { kind: Kind::of(message), message: head, item: None, contents: Vec::new() }
    }

    pub(super) fn content(&mut self, index: i64) -> Option<&mut OpenContent> {
        self.contents.iter_mut().find(|content| content.index == index)
    }
}

/// The number of a content; one without is the first.
pub(super) fn index_of(content: &Content) -> i64 {
    content.index.unwrap_or(0)
}
