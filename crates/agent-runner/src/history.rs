//! What is kept of a run for the next turn of its conversation, and how a conversation is put together again.

mod bounds;
mod calls;

use std::time::Duration;

use agent_schemas::{Message, MessageType, Role, SessionId, Status, UserId};
use agent_services::session::{EncodedMessage, MessageBatch};
use tokio::time::{Instant, sleep};

use crate::assemble::Ending;
use crate::live::LiveRun;

pub use bounds::{Bounds, bounded};
pub use calls::with_missing_outputs;

/// How long a run waits for a session store that is away before it goes on or ends without its history.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

const MISSING: &str = "the run is missing in its session's history";

/// Writes a run's input and output into its session, once: the run's id is the batch key. Input messages that are there
/// already are left out. A run that failed or was cancelled leaves a message of type `error` that says so.
///
/// A store that stays away, or refuses, costs the history and not the run: that is logged.
pub(crate) async fn record(live: &LiveRun, ending: &Ending) {
    if live.without_history {
        return;
    }
    let mark = mark(live, ending);
    let user = UserId::new(live.request.user_id.as_deref().unwrap_or_default());
    let session = SessionId::new(live.request.session_id.as_deref().unwrap_or_default());
    let deadline = Instant::now() + PATIENCE;
    let mut wait = Duration::from_millis(50);
    loop {
        // Made anew for each attempt, as there is nearly always only one.
        let appended = match batch(live, mark.as_ref()) {
            Ok(batch) => live.services.sessions.append(&user, &session, batch).await,
            Err(error) => Err(error),
        };
        match appended {
            Ok(_) => return,
            Err(error) if error.is_retryable() && Instant::now() < deadline => {
                sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(1));
            }
            Err(error) => return tracing::error!(run.id = %live.id, error = %error, MISSING),
        }
    }
}

/// Input and output of a run. The output is stored as the bytes that its log has: parsing it would cost as much as the
/// rest of a short run.
fn batch(live: &LiveRun, mark: Option<&Message>) -> agent_services::Result<MessageBatch> {
    let input = live.request.input.iter().map(EncodedMessage::from_message);
    let output = live.closed_messages();
    let output = output.into_iter().filter(|message| !message.is_torn);
    let output = output.map(|message| EncodedMessage::from_json(message.id, message.json.into()));
    let mark = mark.into_iter().map(EncodedMessage::from_message);
    let messages = input.chain(output).chain(mark).collect::<agent_services::Result<_>>()?;
    let key = Some(live.id.as_str().to_owned());
    Ok(MessageBatch { messages, key, maybe_known: live.request.input.len() })
}

/// What says in the history that a run did not end well.
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
