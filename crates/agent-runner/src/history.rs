//! What a run adds to its session's history, and how a conversation is reconstructed from it.

mod bounds;
mod calls;

use std::time::Duration;

use agent_schemas::{Message, MessageType, Role, Status};
use agent_services::retry::retry_unavailable;
use agent_services::session::{EncodedMessage, MessageBatch};

use crate::assemble::Ending;
use crate::live::LiveRun;

pub use bounds::{Bounds, bounded};
pub use calls::with_missing_outputs;

/// How long a run waits for an unavailable session store before it starts or ends without its history.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A run's input and output for its session. The run's id is the batch key, so that they are stored once. Input
/// messages that the session already has are skipped. A failed or cancelled run adds a message of type `error` that
/// says so.
pub(crate) struct History<'a> {
    live: &'a LiveRun,
    mark: Option<Message>,
}

impl<'a> History<'a> {
    /// The history of a run that ends like this, if there is any.
    pub(crate) fn of(live: &'a LiveRun, ending: &Ending) -> Option<Self> {
        live.record.options.keep_history.then(|| History { live, mark: mark(live, ending) })
    }

    /// Appends the history to the session.
    ///
    /// If the store stays unavailable or rejects the history, it is lost and that is logged; the run ends normally.
    pub(crate) async fn append(&self) {
        let (sessions, record) = (&self.live.services.sessions, &self.live.record);
        let appended = retry_unavailable(PATIENCE, || async {
            // Built again for each attempt, because there is nearly always only one.
            match self.batch() {
                Some(batch) => sessions.append(&record.user_id, &record.session_id, batch).await.map(drop),
                None => Ok(()),
            }
        });
        if let Err(error) = appended.await {
            self.is_missing(&error);
        }
    }

    /// The messages; `None`, after logging the error, if they cannot be stored. Output is stored as the bytes in the
    /// log, because parsing it would cost as much as the rest of a short run.
    pub(crate) fn batch(&self) -> Option<MessageBatch> {
        let input = self.live.record.request.input.iter().map(EncodedMessage::from_message);
        let output = self.live.log.closed_messages();
        let output = output.into_iter().filter(|message| !message.is_torn);
        let output = output.map(|message| EncodedMessage::from_json(message.id, message.json.into()));
        let mark = self.mark.iter().map(EncodedMessage::from_message);
        let messages = input.chain(output).chain(mark).collect::<agent_services::Result<_>>();
        let messages = messages.inspect_err(|error| self.is_missing(error)).ok()?;
        let key = Some(self.live.record.id.as_str().to_owned());
        Some(MessageBatch { messages, key, maybe_known: self.live.record.request.input.len() })
    }

    /// Logs that the session lacks this run.
    pub(crate) fn is_missing(&self, error: &agent_services::Error) {
        tracing::error!(run.id = %self.live.record.id, error = %error, "could not write a run to its session's history");
    }
}

/// The message that records in the history how a run ended, if it did not complete.
fn mark(live: &LiveRun, ending: &Ending) -> Option<Message> {
    if ending.status == Status::Completed {
        return None;
    }
    let mut mark = Message::new(format!("msg_{}", live.services.ids.uuid()), MessageType::Error);
    mark.role = Some(Role::Assistant);
    mark.status = ending.status.clone();
    mark.error.clone_from(&ending.error);
    mark.code = ending.error.as_ref().map(|error| error.code.clone());
    mark.message = ending.error.as_ref().map(|error| error.message.clone());
    Some(mark)
}
