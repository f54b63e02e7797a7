//! What is handed to a run while it is under way.

use std::time::Duration;

use agent_schemas::{Event, Message, RunId, Status};
use agent_services::retry::retry_unavailable;
use agent_services::run::RunRecord;

use crate::assemble::ClosedMessage;
use crate::live::LiveRun;

/// Writes what was handed to a run since the last look into its log, and gives it.
pub(crate) async fn take(live: &LiveRun) -> agent_services::Result<Vec<Message>> {
    if !live.steering.take_arrived() {
        return Ok(Vec::new());
    }
    let runs = &live.services.runs;
    let handed = retry_unavailable(Duration::MAX, || runs.steered(&live.record.id)).await?;
    for record in handed.iter().filter(|record| record.damage.is_some()) {
        tracing::error!(run.id = %record.id, error = record.damage, "what a run was handed cannot be read and is left out");
    }
    // A process that died may have written them and not come to forget them.
    let written = live.log.closed_messages();
    let is_new = |message: &&Message| !is_written(message, &written);
    let mut messages = Vec::new();
    for message in handed.iter().flat_map(|record| record.request.input.iter().filter(is_new)) {
        let mut message = message.clone();
        message.status = Status::Completed;
        messages.push(message);
    }
    // An agent may be dropped at any await from here on; the end of its run makes up for that.
    live.steering.note_taken();
    for message in &messages {
        live.emit(Event::Message(message.clone()));
    }
    // Forgotten only once the log has it, so that nothing is lost when the process dies in between.
    live.all_stored().await;
    forget(live, handed).await?;
    Ok(messages)
}

/// Forgets what the log has of what was handed to a run, all of it being stored. What is not forgotten when the run ends
/// becomes a run of its own.
pub(crate) async fn forget_taken(live: &LiveRun) -> agent_services::Result<()> {
    if !live.steering.may_have_taken() {
        return Ok(());
    }
    let runs = &live.services.runs;
    let mut handed = retry_unavailable(Duration::MAX, || runs.steered(&live.record.id)).await?;
    let written = live.log.closed_messages();
    handed.retain(|record| record.request.input.iter().all(|message| is_written(message, &written)));
    forget(live, handed).await
}

fn is_written(message: &Message, written: &[ClosedMessage]) -> bool {
    written.iter().any(|known| known.id == message.id)
}

async fn forget(live: &LiveRun, handed: Vec<RunRecord>) -> agent_services::Result<()> {
    let ids: Vec<RunId> = handed.into_iter().map(|record| record.id).collect();
    if !ids.is_empty() {
        let runs = &live.services.runs;
        retry_unavailable(Duration::MAX, || runs.drop_steered(&live.record.id, live.token, &ids)).await?;
    }
    live.steering.note_dropped();
    Ok(())
}
