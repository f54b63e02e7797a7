//! Whole protocol events, as builders and adapters make them, put into the log's form.

use std::collections::{HashMap, HashSet};

use agent_schemas::{Content, ContentBody, Event, Message, MessageType, Role, Status};

use super::open::{MessageKey, OpenMessage};
use super::{Assembler, Closing};

/// What emitted events have opened and closed, by the message ids that they carry.
#[derive(Debug, Default)]
pub(super) struct Emitted {
    open: HashMap<String, MessageKey>,
    closed: HashSet<String>,
}

impl Assembler {
    /// Writes an event that was made elsewhere.
    ///
    /// Messages and contents are opened, grown and closed as the event says; what would break the log's form is
    /// put right (a content without its message opens one) or dropped (a second closing, a response of its own).
    /// `fresh_id` names messages that have no id.
    pub(crate) fn emit(&mut self, event: Event, fresh_id: impl FnOnce() -> String) {
        match event {
            Event::Message(message) => self.emit_message(message, fresh_id),
            Event::Content(content) => self.emit_content(content, fresh_id),
            _ => {}
        }
    }

    fn emit_message(&mut self, mut message: Message, fresh_id: impl FnOnce() -> String) {
        if message.id.is_empty() {
            message.id = fresh_id();
        }
        if self.emitted.closed.contains(&message.id) {
            return;
        }
        let known = self.emitted.open.get(&message.id).copied().filter(|key| self.position(*key).is_some());
        let status = message.status.clone();
        let key = known.unwrap_or_else(|| {
            let opening = if status.is_final() { Status::InProgress } else { status.clone() };
            let open = OpenMessage::new(message.id.clone(), message.kind.clone(), message.role);
            let key = self.open_message_with(open, &opening);
            self.emitted.open.insert(message.id.clone(), key);
            key
        });
        if let Some(head) = self.head_mut(key) {
            head.kind = message.kind;
            head.role = message.role;
            head.code = message.code;
            head.message = message.message;
            head.usage = message.usage;
            head.metadata = message.metadata;
        }
        if status.is_final() {
            self.emit_missing_contents(key, message.content.unwrap_or_default());
            self.close_message(key, &Closing { status: Some(status), error: message.error });
            self.emitted.open.remove(&message.id);
            self.emitted.closed.insert(message.id);
        }
    }

    /// Gives a message that is about to close the contents that it has and that no event brought.
    fn emit_missing_contents(&mut self, key: MessageKey, contents: Vec<Content>) {
        for (position, content) in contents.into_iter().enumerate() {
            let known = self.position(key).map_or(0, |at| self.open[at].contents.len());
            let index = self.content_index(key, Some(position), &content.body);
            if position >= known || self.is_open(key, index) {
                self.set_value(key, index, content.body);
            }
            self.close_content(key, index, &Closing::default());
        }
    }

    fn emit_content(&mut self, content: Content, fresh_id: impl FnOnce() -> String) {
        let msg_id = content.msg_id.clone().unwrap_or_default();
        if self.emitted.closed.contains(&msg_id) {
            return;
        }
        let known = self.emitted.open.get(&msg_id).copied().filter(|key| self.position(*key).is_some());
        let key = known.unwrap_or_else(|| {
            let id = if msg_id.is_empty() { fresh_id() } else { msg_id.clone() };
            let key = self.open_message(id, MessageType::Message, Some(Role::Assistant));
            self.emitted.open.insert(msg_id, key);
            key
        });
        let index = content.index.and_then(|index| usize::try_from(index).ok());
        let index = self.content_index(key, index, &content.body);
        match content.status {
            Some(status) if status.is_final() => {
                self.set_value(key, index, content.body);
                self.close_content(key, index, &Closing { status: Some(status), error: content.error });
            }
            _ if content.delta == Some(true) => self.delta(key, index, content.body),
            _ => self.snapshot(key, index, content.body),
        }
    }

    /// The index of an open or closed content, or of a new one where there is none at the asked position.
    fn content_index(&mut self, key: MessageKey, asked: Option<usize>, body: &ContentBody) -> usize {
        let count = self.position(key).map_or(0, |position| self.open[position].contents.len());
        match asked {
            Some(index) if index < count => index,
            _ => match ContentBody::empty(body.type_name()) {
                Some(empty) => self.open_content(key, empty),
                None => count,
            },
        }
    }

    fn is_open(&self, key: MessageKey, index: usize) -> bool {
        let content = self.position(key).and_then(|position| self.open[position].contents.get(index));
        content.is_some_and(|content| content.type_name().is_some())
    }

    /// Sets a content's value without an event, for one that closes at once.
    pub(crate) fn set_value(&mut self, key: MessageKey, index: usize, value: ContentBody) {
        let Some(position) = self.position(key) else { return };
        if let Some(content) = self.open[position].contents.get_mut(index) {
            content.update(&value, |body, value| body.clone_from(value));
        }
    }
}
