//! Resumes an interrupted log.

use agent_schemas::delta::add_usage;
use agent_schemas::{Content, ContentBody, DecodeError, Event, Fold, Message, Status, sse};
use agent_services::run::Batch;

use super::encode::MessageHead;
use super::open::{OpenContent, OpenMessage};
use super::{Assembler, ClosedMessage, ResponseHead};

impl Assembler {
    /// Continues an interrupted log. Closed messages stay; open ones are in the state after their last event.
    ///
    /// # Errors
    /// If an event cannot be read.
    pub(crate) fn resume(log: &[Batch], epoch: u64) -> Result<Self, DecodeError> {
        let head = ResponseHead { id: String::new(), created_at: 0, session_id: String::new() };
        let mut assembler = Assembler { epoch, ..Assembler::empty(head) };
        let mut fold = Fold::new();
        for json in log.iter().flat_map(|batch| sse::frames(&batch.frames)) {
            let event = Event::from_slice(json)?;
            fold.push(&event);
            assembler.take_back(event, json);
        }
        assembler.next = log.last().map_or(0, Batch::end);
        assembler.pending_from = assembler.next;
        assembler.written = log.iter().map(|batch| batch.frames.len()).sum();
        assembler.kept = assembler.closed.iter().map(|message| message.json.len()).sum();
        for message in fold.open_messages() {
            assembler.reopen(message.clone());
        }
        Ok(assembler)
    }

    /// The complete messages, in closing order.
    pub(crate) fn whole_messages(&self) -> Vec<Message> {
        let read = |message: &ClosedMessage| Message::from_slice(&message.json).ok();
        let whole = |message: &Message| message.status == Status::Completed;
        self.closed.iter().filter_map(read).filter(whole).collect()
    }

    fn take_back(&mut self, event: Event, json: &[u8]) {
        match event {
            Event::Response(response) if self.head.id.is_empty() => {
                self.head = ResponseHead {
                    id: response.id,
                    created_at: response.created_at,
                    session_id: response.session_id.unwrap_or_default(),
                };
            }
            Event::Response(response) if response.status == Status::InProgress => self.forget_torn(),
            Event::Message(message) if message.status.is_final() => {
                let is_output = message.status != Status::Failed;
                if let Some(usage) = message.usage.as_ref().filter(|_| is_output) {
                    add_usage(self.usage.get_or_insert_default(), usage);
                }
                let is_incomplete = message.status == Status::Incomplete;
                let (id, json) = (message.id, json.into());
                self.closed.push(ClosedMessage { id, json, is_output, is_incomplete, is_torn: false });
            }
            _ => {}
        }
    }

    fn reopen(&mut self, message: Message) {
        let mut head = MessageHead::new(message.id, message.kind, message.role);
        (head.code, head.message) = (message.code, message.message);
        (head.usage, head.metadata) = (message.usage, message.metadata);
        let mut open = OpenMessage::with_head(head);
        open.key = super::MessageKey(self.next_key);
        self.next_key += 1;
        let mut contents = message.content.unwrap_or_default();
        contents.sort_by_key(|content| content.index);
        for content in contents {
            let index = content.index.and_then(|index| usize::try_from(index).ok()).unwrap_or_default();
            // A content that was opened and never written only occupies its index.
            while open.contents.len() < index {
                open.contents.push(OpenContent::new(ContentBody::Text { text: None }));
            }
            open.contents.push(reopened(content));
        }
        self.open.push_back(open);
    }
}

fn reopened(content: Content) -> OpenContent {
    if content.status.as_ref().is_some_and(Status::is_final) {
        let mut json = Vec::new();
        if sse::write_json(&mut json, &content).is_ok() {
            return OpenContent::Closed(json);
        }
    }
    OpenContent::new(content.body)
}
