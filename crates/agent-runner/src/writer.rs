//! Writers, with which an agent fills messages and contents.
//!
//! Dropping a writer leaves its content open: an error that makes the agent return early must not make half a message
//! look complete. Call `complete`, or let the end of the run close it.

mod tool;

use std::fmt;
use std::sync::Arc;

use agent_schemas::{ContentBody, ErrorBody, JsonObject, Status};

use crate::assemble::{Closing, MessageKey};
use crate::live::LiveRun;

pub(crate) use tool::end_output;
pub use tool::{ToolCallWriter, ToolOutputWriter};

/// Writes one message.
#[must_use = "a message that is not completed stays open until the run ends"]
pub struct MessageWriter {
    live: Arc<LiveRun>,
    /// `None` if the run ended before the message was opened.
    key: Option<MessageKey>,
    id: String,
}

impl MessageWriter {
    pub(crate) fn new(live: Arc<LiveRun>, key: Option<MessageKey>, id: String) -> Self {
        MessageWriter { live, key, id }
    }

    /// The message's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Opens the message's next content: text.
    pub fn text(&self) -> TextWriter {
        self.open_text(ContentBody::Text { text: None })
    }

    /// Opens the message's next content: a refusal.
    pub fn refusal(&self) -> TextWriter {
        self.open_text(ContentBody::Refusal { refusal: None })
    }

    /// Opens the message's next content: structured data.
    pub fn data(&self) -> DataWriter {
        DataWriter(self.open_content(ContentBody::Data { data: None }))
    }

    /// Writes the message's next content at once: an image, a file, audio, …
    pub fn put(&self, body: ContentBody) {
        let Some(empty) = ContentBody::empty(body.type_name()) else { return };
        let place = self.open_content(empty);
        place.write(|assembler, key, index| assembler.set_value(key, index, body));
        place.close();
    }

    /// Writes the message's next content at once: structured data.
    pub fn put_data(&self, data: JsonObject) {
        self.put(ContentBody::Data { data: Some(data) });
    }

    /// Sets the usage of the model call behind the message. It is shown when the message closes and added to the run's
    /// usage.
    pub fn set_usage(&self, usage: JsonObject) {
        self.write(|assembler, key| {
            if let Some(head) = assembler.head_mut(key) {
                head.usage = Some(usage);
            }
        });
    }

    /// Adds metadata to the message; shown when the message closes.
    pub fn set_metadata(&self, metadata: JsonObject) {
        self.write(|assembler, key| {
            if let Some(head) = assembler.head_mut(key) {
                head.metadata = Some(metadata);
            }
        });
    }

    /// Closes the message and its open contents.
    pub fn complete(self) {
        self.write(|assembler, key| assembler.close_message(key, &Closing::default()));
    }

    /// Closes the message and its open contents as incomplete.
    #[cfg(feature = "chat")]
    pub(crate) fn cut_off(self) {
        let closing = Closing { status: Some(Status::Incomplete), error: None };
        self.write(|assembler, key| assembler.close_message(key, &closing));
    }

    /// Closes the message with an error that it reports. It is whole, and part of the run's output.
    pub(crate) fn complete_with_error(self, error: ErrorBody) {
        let closing = Closing { status: Some(Status::Completed), error: Some(error) };
        self.write(|assembler, key| assembler.close_message(key, &closing));
    }

    /// Closes the message as failed. The run continues; failed messages are not part of its output.
    pub fn fail(self, error: ErrorBody) {
        let closing = Closing { status: Some(Status::Failed), error: Some(error) };
        self.write(|assembler, key| assembler.close_message(key, &closing));
    }

    fn open_text(&self, empty: ContentBody) -> TextWriter {
        TextWriter(self.open_content(empty))
    }

    fn open_content(&self, empty: ContentBody) -> Place {
        let key = self.key;
        let index = key.and_then(|key| self.live.log.write(|assembler| assembler.open_content(key, empty)));
        Place { live: Arc::clone(&self.live), key: key.zip(index) }
    }

    fn write(&self, write: impl FnOnce(&mut crate::assemble::Assembler, MessageKey)) {
        if let Some(key) = self.key {
            self.live.log.write(|assembler| write(assembler, key));
        }
    }
}

/// The position of a content.
struct Place {
    live: Arc<LiveRun>,
    key: Option<(MessageKey, usize)>,
}

impl Place {
    fn write(&self, write: impl FnOnce(&mut crate::assemble::Assembler, MessageKey, usize)) {
        if let Some((key, index)) = self.key {
            self.live.log.write(|assembler| write(assembler, key, index));
        }
    }

    fn close(&self) {
        self.write(|assembler, key, index| assembler.close_content(key, index, &Closing::default()));
    }
}

/// Writes a text or a refusal.
#[must_use = "a content that is not completed stays open until its message or the run ends"]
pub struct TextWriter(Place);

impl TextWriter {
    /// Appends text; each call is one event.
    pub fn delta(&mut self, text: &str) {
        self.0.write(|assembler, key, index| assembler.text_delta(key, index, text));
    }

    /// Closes the content.
    pub fn complete(self) {
        self.0.close();
    }
}

/// Writes structured data.
#[must_use = "a content that is not completed stays open until its message or the run ends"]
pub struct DataWriter(Place);

impl DataWriter {
    /// Merges an object into the data; see [`agent_schemas::delta::merge_data`] for the rules.
    pub fn delta(&mut self, data: JsonObject) {
        self.0.write(|assembler, key, index| {
            assembler.delta(key, index, ContentBody::Data { data: Some(data) })
        });
    }

    /// Replaces the data.
    pub fn set(&mut self, data: JsonObject) {
        self.0.write(|assembler, key, index| {
            assembler.snapshot(key, index, ContentBody::Data { data: Some(data) })
        });
    }

    /// Closes the content with this value, which replaces the data.
    fn complete_with(self, data: JsonObject) {
        self.0.write(|assembler, key, index| {
            assembler.set_value(key, index, ContentBody::Data { data: Some(data) });
        });
        self.0.close();
    }

    /// Closes the content.
    pub fn complete(self) {
        self.0.close();
    }
}

impl fmt::Debug for MessageWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageWriter").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for TextWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextWriter").field("place", &self.0.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for DataWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataWriter").field("place", &self.0.key).finish_non_exhaustive()
    }
}
