//! The assembler turns an agent's output into well-formed numbered events.
//!
//! Pure: no I/O, no clock, no random ids. It numbers events, remembers what is open, accumulates values, and closes
//! whatever is left open when the run ends, so that every log has the form that `agent-schemas` describes, whatever
//! the agent did.
//!
//! Every event is encoded once, directly into the batch that goes to the store. A value that appears again (a
//! content in its message, a message in the final response) is copied as bytes.

mod closed;
mod emit;
mod encode;
mod open;
mod resume;

use std::collections::VecDeque;

use agent_schemas::delta::{add_usage, append_body};
use agent_schemas::{ContentBody, ErrorBody, JsonObject, MessageType, Role, Status, sse};
use agent_services::run::Batch;
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

pub(crate) use closed::ClosedMessage;
use encode::MessageHead;
pub(crate) use open::MessageKey;
use open::{OpenContent, OpenMessage};

/// A batch of at least this size keeps the buffer it was written to, which avoids a copy.
const LARGE_BATCH: usize = 4096;

/// From this size on it is copied after all, because a buffer that has grown may be twice as large as what it holds.
const HUGE_BATCH: usize = 256 * 1024;

/// The members of response events other than the status.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) id: String,
    pub(crate) created_at: i64,
    pub(crate) session_id: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ending {
    pub(crate) status: Status,
    pub(crate) error: Option<ErrorBody>,
    pub(crate) completed_at: i64,
    /// What the final response says besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<ErrorBody>,
}

impl Ending {
    /// An end at this time that has nothing but a status.
    pub(crate) fn new(status: Status, completed_at: i64) -> Self {
        Ending { status, error: None, completed_at, warnings: Vec::new() }
    }
}

/// The members of a closing message event that are not accumulated.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    pub(crate) status: Option<Status>,
    pub(crate) error: Option<ErrorBody>,
}

#[derive(Debug)]
pub(crate) struct Assembler {
    head: ResponseHead,
    /// Frames that have not been taken yet, and the number of the first one.
    pending: Vec<u8>,
    pending_from: u64,
    /// Small batches are cut from this buffer, so that each does not cost an allocation.
    chunk: BytesMut,
    next: u64,
    next_key: u64,
    open: VecDeque<OpenMessage>,
    /// The closed messages in closing order.
    closed: Vec<ClosedMessage>,
    usage: Option<JsonObject>,
    written: usize,
    /// About how many bytes of messages it keeps, open and closed.
    kept: usize,
    ended: bool,
    emitted: emit::Emitted,
    /// How often the run was taken over, plus one.
    epoch: u64,
}

impl Assembler {
    /// Starts a log in this epoch with its first event.
    pub(crate) fn start(head: ResponseHead, epoch: u64) -> Self {
        let mut assembler = Assembler { epoch, ..Assembler::empty(head) };
        assembler.response_event(&Status::Created);
        assembler
    }

    fn empty(head: ResponseHead) -> Self {
        Assembler {
            head,
            pending: Vec::with_capacity(1024),
            pending_from: 0,
            chunk: BytesMut::with_capacity(1024),
            next: 0,
            next_key: 0,
            open: VecDeque::with_capacity(1),
            closed: Vec::new(),
            usage: None,
            written: 0,
            kept: 0,
            ended: false,
            emitted: emit::Emitted::default(),
            epoch: 1,
        }
    }

    /// Writes that the work starts, or starts again.
    pub(crate) fn begin(&mut self) {
        self.close_all(&Status::Incomplete, None);
        self.forget_torn();
        self.response_event(&Status::InProgress);
    }

    /// Incomplete output is written again when the work starts again.
    fn forget_torn(&mut self) {
        for message in self.closed.iter_mut().filter(|message| message.is_incomplete) {
            message.is_torn = true;
        }
    }

    fn response_event(&mut self, status: &Status) {
        self.event(|this, out, number| encode::response(out, number, status, &this.head, None, None));
    }

    /// The number of the next event.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The size of the log in bytes, taken or not.
    pub(crate) fn bytes(&self) -> usize {
        self.written + self.pending.len()
    }

    /// About how many bytes of messages it keeps in memory until the log ends.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.kept
    }

    /// Whether there are events that nobody has taken.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The size in bytes of what has not been taken.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    /// The events that have not been taken yet.
    pub(crate) fn pending(&self) -> Batch {
        let (first, frames) = (self.pending_from, Bytes::copy_from_slice(&self.pending));
        Batch { first, count: self.next - first, frames }
    }

    /// Takes the events that have not been taken yet.
    pub(crate) fn take(&mut self) -> Batch {
        self.written += self.pending.len();
        let frames = match self.pending.len() {
            ..LARGE_BATCH => {
                self.chunk.extend_from_slice(&self.pending);
                self.pending.clear();
                self.chunk.split().freeze()
            }
            LARGE_BATCH..HUGE_BATCH => std::mem::take(&mut self.pending).into(),
            HUGE_BATCH.. => Bytes::copy_from_slice(&std::mem::take(&mut self.pending)),
        };
        let first = std::mem::replace(&mut self.pending_from, self.next);
        Batch { first, count: self.next - first, frames }
    }

    /// Writes one event's frame; `json` gets the whole assembler to read from and the buffer to write to.
    fn event(&mut self, json: impl FnOnce(&Self, &mut Vec<u8>, u64)) -> std::ops::Range<usize> {
        let mut out = std::mem::take(&mut self.pending);
        let number = self.next;
        sse::start_frame_of_epoch(&mut out, number, self.epoch);
        let start = out.len();
        json(self, &mut out, number);
        let range = start..out.len();
        sse::end_frame(&mut out);
        self.pending = out;
        self.next += 1;
        range
    }

    /// Opens a message.
    pub(crate) fn open_message(&mut self, id: String, kind: MessageType, role: Option<Role>) -> MessageKey {
        self.open_message_with(OpenMessage::new(id, kind, role), &Status::InProgress)
    }

    fn open_message_with(&mut self, mut message: OpenMessage, status: &Status) -> MessageKey {
        let key = MessageKey(self.next_key);
        self.next_key += 1;
        message.key = key;
        if !self.ended {
            self.event(|_, out, number| encode::message(out, number, status, None, &message.head, b"null"));
            self.open.push_back(message);
        }
        key
    }

    fn position(&self, key: MessageKey) -> Option<usize> {
        self.open.iter().position(|message| message.key == key)
    }

    /// Opens a content of the body's type in a message and returns its index. Nothing is written until it has a value.
    pub(crate) fn open_content(&mut self, key: MessageKey, empty: ContentBody) -> usize {
        let Some(position) = self.position(key) else { return 0 };
        let message = &mut self.open[position];
        message.contents.push(OpenContent::new(empty));
        message.contents.len() - 1
    }

    /// Appends text to a content that is one string: text, refusal, image or video URL.
    pub(crate) fn text_delta(&mut self, key: MessageKey, index: usize, text: &str) {
        let Some(position) = self.position(key) else { return };
        let message = &mut self.open[position];
        let Some(content) = message.contents.get_mut(index) else { return };
        let out = &mut self.pending;
        let rollback = out.len();
        sse::start_frame_of_epoch(out, self.next, self.epoch);
        if content.write_text_delta(out, self.next, index, &message.head.id, text) {
            sse::end_frame(out);
            self.next += 1;
            self.kept += text.len();
        } else {
            out.truncate(rollback);
        }
    }

    /// Appends any body to a content of the same type.
    pub(crate) fn delta(&mut self, key: MessageKey, index: usize, delta: ContentBody) {
        self.update(key, index, true, delta, append_body);
    }

    /// Replaces a content's value by another of the same type.
    pub(crate) fn snapshot(&mut self, key: MessageKey, index: usize, value: ContentBody) {
        self.update(key, index, false, value, |body, value| body.clone_from(value));
    }

    fn update(
        &mut self,
        key: MessageKey,
        index: usize,
        delta: bool,
        value: ContentBody,
        apply: fn(&mut ContentBody, &ContentBody),
    ) {
        let Some(position) = self.position(key) else { return };
        let Some(content) = self.open[position].contents.get_mut(index) else { return };
        if !content.update(&value, apply) {
            return;
        }
        let range = self.event(|this, out, number| {
            let msg_id = &this.open[position].head.id;
            encode::content(out, number, &Status::InProgress, None, index, delta, msg_id, &value);
        });
        self.kept += range.len();
    }

    /// Closes a content; does nothing if it is closed.
    pub(crate) fn close_content(&mut self, key: MessageKey, index: usize, closing: &Closing) {
        let Some(position) = self.position(key) else { return };
        let Some(content) = self.open[position].contents.get_mut(index) else { return };
        let Some(value) = content.take_open() else { return };
        let status = closing.status.clone().unwrap_or(Status::Completed);
        let range = self.event(|this, out, number| {
            let msg_id = &this.open[position].head.id;
            value.write_closed(out, number, &status, closing.error.as_ref(), index, msg_id);
        });
        self.kept += range.len();
        self.open[position].contents[index] = OpenContent::Closed(self.pending[range].to_vec());
    }

    /// The members of the message's closing event other than its contents.
    pub(crate) fn head_mut(&mut self, key: MessageKey) -> Option<&mut MessageHead> {
        let position = self.position(key)?;
        Some(&mut self.open[position].head)
    }

    /// Closes a message and its open contents; does nothing if it is closed.
    pub(crate) fn close_message(&mut self, key: MessageKey, closing: &Closing) {
        let Some(position) = self.position(key) else { return };
        for index in 0..self.open[position].contents.len() {
            self.close_content(key, index, closing);
        }
        let Some(message) = self.open.remove(position) else { return };
        let status = closing.status.clone().unwrap_or(Status::Completed);
        let contents = message.contents_json();
        let range = self.event(|_, out, number| {
            encode::message(out, number, &status, closing.error.as_ref(), &message.head, &contents);
        });
        let is_output = status != Status::Failed;
        if let Some(usage) = message.head.usage.as_ref().filter(|_| is_output) {
            add_usage(self.usage.get_or_insert_default(), usage);
        }
        self.kept += range.len();
        let json = self.pending[range].into();
        let is_incomplete = status == Status::Incomplete;
        let id = message.head.id;
        self.closed.push(ClosedMessage { id, json, is_output, is_incomplete, is_torn: false });
    }

    /// Closes everything that is open.
    pub(crate) fn close_all(&mut self, status: &Status, error: Option<&ErrorBody>) {
        let closing = Closing { status: Some(status.clone()), error: error.cloned() };
        while let Some(message) = self.open.front() {
            self.close_message(message.key, &closing);
        }
    }

    /// Ends the log, in which nothing is open. Later writes are discarded.
    pub(crate) fn finish(&mut self, ending: &Ending) {
        if self.ended {
            return;
        }
        self.event(|this, out, number| {
            let output = encode::Output { closed: &this.closed, usage: this.usage.as_ref() };
            encode::response(out, number, &ending.status, &this.head, Some(ending), Some(output));
        });
        self.ended = true;
    }

    /// Goes on with a log that has no end yet, and of whose entries nothing is known but their number.
    pub(crate) fn after_unreadable(head: ResponseHead, next: u64, epoch: u64) -> Self {
        Assembler { epoch, next, pending_from: next, ..Assembler::empty(head) }
    }

    /// Takes back an end that was not stored, so that the log can end otherwise.
    pub(crate) fn take_back_end(&mut self) {
        if std::mem::take(&mut self.ended) {
            self.next -= 1;
            self.pending_from = self.next;
        }
    }

    /// The closed messages in closing order, failed ones included.
    pub(crate) fn closed_messages(&self) -> &[ClosedMessage] {
        &self.closed
    }
}
