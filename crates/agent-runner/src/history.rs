//! What a run adds to its session's history, and how a conversation is reconstructed from it.

mod bounds;
pub(crate) mod calls;
mod repeated;

use std::time::Duration;

use agent_schemas::{ErrorBody, Message, MessageType, Role, Status};
use agent_services::ErrorKind;
use agent_services::retry::retry_unavailable;
use agent_services::session::{EncodedMessage, MessageBatch};

use crate::assemble::Ending;
use crate::error_chain::chain;
use crate::live::LiveRun;

pub use bounds::{Bounds, bounded};
pub use calls::with_missing_outputs;
pub(crate) use repeated::{is_repeated, without_repeated};

/// How long a run waits for an unavailable session store before it starts or ends without its history.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The code of the warning that a session does not have a run.
const HISTORY_NOT_STORED: &str = "HISTORY_NOT_STORED";

/// A run's input and output, for its session. The run's id is the batch key, so that they are stored once. Input
/// messages that the session already has are left out, and so is the input of a failed turn that is sent again. A run
/// that failed or was cancelled leaves a message of type `error` that says so.
pub(crate) struct History<'a> {
    live: &'a LiveRun,
    mark: Option<Message>,
    /// Whether the session has the run's new input.
    is_repeated: bool,
}

impl<'a> History<'a> {
    /// The history of a run that ends like this, if there is any.
    pub(crate) fn of(live: &'a LiveRun, ending: &Ending, is_repeated: bool) -> Option<Self> {
        live.record.options.keep_history.then(|| History { live, mark: mark(live, ending), is_repeated })
    }

    /// Appends the history to the session.
    ///
    /// If the store stays unavailable or refuses, the history is lost, and the run is not.
    ///
    /// # Errors
    /// What the run's final response says of that.
    pub(crate) async fn append(&self) -> Result<(), ErrorBody> {
        let (sessions, record) = (&self.live.services.sessions, &self.live.record);
        let appended = retry_unavailable(PATIENCE, || async {
            // Made anew for each attempt, as there is nearly always only one.
            sessions.append(&record.user_id, &record.session_id, self.batch()?).await.map(drop)
        });
        appended.await.map_err(|error| self.is_missing(&error))
    }

    /// The messages. The output is stored as the bytes that the log has: parsing it would cost as much as the rest of a
    /// short run.
    ///
    /// # Errors
    /// Why they cannot be stored.
    pub(crate) fn batch(&self) -> agent_services::Result<MessageBatch> {
        let mut input = &*self.live.record.request.input;
        if self.is_repeated {
            input = &input[..input.len() - self.live.new_input().len()];
        }
        let maybe_known = input.len();
        let input = input.iter().map(EncodedMessage::from_message);
        let output = self.live.log.closed_messages();
        let output = output.into_iter().filter(|message| !message.is_torn);
        let output = output.map(|message| EncodedMessage::from_json(message.id, message.json.into()));
        let mark = self.mark.iter().map(EncodedMessage::from_message);
        let messages = input.chain(output).chain(mark).collect::<agent_services::Result<_>>()?;
        let key = Some(self.live.record.id.as_str().to_owned());
        let is_anonymous = self.live.record.options.anonymous_session;
        Ok(MessageBatch { messages, key, maybe_known, is_anonymous })
    }

    /// Logs that the session does not have it, and gives what the run's final response says.
    pub(crate) fn is_missing(&self, error: &agent_services::Error) -> ErrorBody {
        let record = &self.live.record;
        tracing::error!(run.id = %record.id, session.id = %record.session_id, error = chain(error), "the run is missing in its session's history");
        let reason = match error.kind() {
            // The store's own words name the limit.
            ErrorKind::InvalidInput => error.to_string(),
            ErrorKind::Unavailable => "the session store is unavailable".to_owned(),
            ErrorKind::Full => "the session store is full".to_owned(),
            _ => "the session store failed".to_owned(),
        };
        let message = format!(
            "The input and output of this run are not in the session's history, so later runs do not know of them: {reason}"
        );
        ErrorBody::new(HISTORY_NOT_STORED, message)
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
