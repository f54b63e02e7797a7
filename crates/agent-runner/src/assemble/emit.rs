//! Brings complete protocol events from builders and adapters into the form of the log.

use std::collections::{HashMap, HashSet};

use agent_schemas::{Content, ContentBody, Event, Json, JsonObject, Message, MessageType, Role, Status};

use super::encode::{self, MessageHead};
use super::open::{MessageKey, OpenMessage};
use super::{Assembler, ClosedMessage, Closing};

/// The open and closed messages, by the ids that emitted events carry.
#[derive(Debug, Default)]
pub(super) struct Emitted {
    open: HashMap<String, MessageKey>,
    /// Closed messages, however they were opened.
    closed: HashSet<String>,
    /// The number of closed messages in the set; an agent that emits nothing never pays for it.
    looked_at: usize,
}

impl Emitted {
    fn is_closed(&mut self, id: &str, closed: &[ClosedMessage]) -> bool {
        self.closed.extend(closed[self.looked_at..].iter().map(|message| message.id.clone()));
        self.looked_at = closed.len();
        self.closed.contains(id)
    }
}

impl Assembler {
    /// Writes an event that was created elsewhere.
    ///
    /// Opens, extends and closes messages and contents as the event says. Whatever would break the form of the log is
    /// repaired (a content without its message opens one) or dropped (a second close, a response event). A content of a
    /// message that is closed already is dropped with a warning. Events of other kinds are written as they are.
    /// `fresh_id` generates ids for messages that have none.
    pub(crate) fn emit(&mut self, event: Event, fresh_id: impl FnOnce() -> String) {
        match event {
            Event::Message(message) => self.emit_message(message, fresh_id),
            Event::Content(content) => self.emit_content(content, fresh_id),
            Event::Other(Json::Object(members)) => self.emit_other(members),
            // Only the runner writes response events.
            _ => {}
        }
    }

    /// Writes an event of the agent's own kind. It is part of the log, and of nothing else.
    fn emit_other(&mut self, mut members: JsonObject) {
        members.shift_remove("sequence_number");
        let object = members.get("object").and_then(Json::as_str).unwrap_or_default();
        if self.ended || object.is_empty() || ["response", "message", "content"].contains(&object) {
            tracing::warn!(event.object = object, "an event whose kind the agent may not write is left out");
            return;
        }
        self.event(|_, out, number| encode::other(out, number, &members));
    }

    fn emit_message(&mut self, mut message: Message, fresh_id: impl FnOnce() -> String) {
        if message.id.is_empty() {
            message.id = fresh_id();
        }
        let known = self.open_by_id(&message.id);
        if known.is_none() && self.emitted.is_closed(&message.id, &self.closed) {
            return;
        }
        let status = message.status.clone();
        let mut head = MessageHead::new(message.id.clone(), message.kind, message.role);
        (head.code, head.message) = (message.code, message.message);
        (head.usage, head.metadata) = (message.usage, message.metadata);
        let key = match known {
            Some(key) => {
                if let Some(known) = self.head_mut(key) {
                    *known = head;
                }
                key
            }
            None => {
                let opening = if status.is_final() { Status::InProgress } else { status.clone() };
                let key = self.open_message_with(OpenMessage::with_head(head), &opening);
                self.emitted.open.insert(message.id.clone(), key);
                key
            }
        };
        if status.is_final() {
            self.emit_missing_contents(key, message.content.unwrap_or_default());
            self.close_message(key, &Closing { status: Some(status), error: message.error });
            self.emitted.open.remove(&message.id);
        }
    }

    /// The open message with this id, opened by an event or a writer.
    fn open_by_id(&self, id: &str) -> Option<MessageKey> {
        let emitted = self.emitted.open.get(id).copied().filter(|key| self.position(*key).is_some());
        emitted.or_else(|| self.open.iter().find(|message| message.head.id == id).map(|message| message.key))
    }

    /// Adds contents that a closing message has and that no event brought.
    fn emit_missing_contents(&mut self, key: MessageKey, contents: Vec<Content>) {
        let mut used = Vec::new();
        for (position, content) in contents.into_iter().enumerate() {
            let own = content.index.and_then(|index| usize::try_from(index).ok()).unwrap_or(position);
            // If two contents claim one index, both are kept.
            let asked = Some(own).filter(|own| !used.contains(own));
            let index = self.content_index(key, asked, &content.body);
            used.push(index);
            self.set_value(key, index, content.body);
            self.close_content(key, index, &Closing::default());
        }
    }

    fn emit_content(&mut self, content: Content, fresh_id: impl FnOnce() -> String) {
        let msg_id = content.msg_id.clone().unwrap_or_default();
        let known = self.open_by_id(&msg_id);
        if known.is_none() && self.emitted.is_closed(&msg_id, &self.closed) {
            tracing::warn!(message.id = msg_id, "a content of a message that is closed already is left out");
            return;
        }
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

    /// The index of an open or closed content, or of a new one if there is none at the requested index.
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

    /// Sets a content's value without an event, for a content that closes at once.
    pub(crate) fn set_value(&mut self, key: MessageKey, index: usize, value: ContentBody) {
        let Some(position) = self.position(key) else { return };
        if let Some(content) = self.open[position].contents.get_mut(index) {
            content.update(&value, |body, value| body.clone_from(value));
        }
    }
}
