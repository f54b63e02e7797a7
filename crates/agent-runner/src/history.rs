//! What is kept of a run for the next turn of its conversation, and how a conversation is put together again.

mod bounds;
mod calls;

use std::time::Duration;

use agent_schemas::{Message, MessageType, Role, SessionId, Status, UserId};
use agent_services::session::MessageBatch;
use tokio::time::{Instant, sleep};

use crate::assemble::Ending;
use crate::live::LiveRun;

pub use bounds::{Bounds, bounded};
pub use calls::with_missing_outputs;

/// How long a run waits for a session store that is away before it ends without its history.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes a run's input and output into its session, once: the run's id is the batch key. Input messages that are there
/// already are left out. A run that failed or was cancelled leaves a message of type `error` that says so.
///
/// A store that stays away, or refuses, costs the history and not the run: that is logged.
pub(crate) async fn record(live: &LiveRun, ending: &Ending) {
    let request = &live.request;
    let mut messages = request.input.clone();
    let maybe_known = messages.len();
    match Message::list_from_slice(&live.closed_messages()) {
        Ok(output) => messages.extend(output),
        Err(error) => {
            tracing::error!(run.id = %live.id, error = %error, "the run's output could not be read for its history");
        }
    }
    messages.extend(mark(live, ending));
    let user = UserId::new(request.user_id.as_deref().unwrap_or_default());
    let session = SessionId::new(request.session_id.as_deref().unwrap_or_default());
    let batch = MessageBatch { messages, key: Some(live.id.as_str().to_owned()), maybe_known };
    let deadline = Instant::now() + PATIENCE;
    let mut wait = Duration::from_millis(50);
    loop {
        match live.services.sessions.append(&user, &session, batch.clone()).await {
            Ok(_) => return,
            Err(error) if error.is_retryable() && Instant::now() < deadline => {
                sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(1));
            }
            Err(error) => {
                tracing::error!(run.id = %live.id, error = %error, "the run is missing in its session's history");
                return;
            }
        }
    }
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
