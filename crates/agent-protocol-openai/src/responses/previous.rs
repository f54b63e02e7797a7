//! The response that another one continues: its input and its output. Its input has those of the responses before it.

use agent_schemas::{Event, Message, RunId, sse};
use axum::http::StatusCode;

use super::echoed::EchoedSettings;
use super::ids;
use agent_server::protocol::ApiError;
use agent_server::protocol::{Caller, ErrorInfo, ProtocolContext};

/// The most of a log that is read to see its last entry.
const PAGE_BYTES: usize = 1024 * 1024;

/// The response that another one continues.
#[derive(Clone, Debug, Default)]
pub(super) struct PreviousResponse {
    /// Input and output, in order.
    pub(super) messages: Vec<Message>,
    /// The user it belongs to.
    pub(super) user_id: Option<String>,
}

/// Loads it; `own` is a response that may be continued although it is not stored.
pub(super) async fn load(
    context: &ProtocolContext,
    caller: &Caller,
    previous: Option<&str>,
    own: Option<&RunId>,
) -> Result<PreviousResponse, ApiError> {
    let Some(previous) = previous else { return Ok(PreviousResponse::default()) };
    let not_found =
        || fault("previous_response_not_found", format!("Previous response with id '{previous}' not found."));
    let id = ids::run_id(previous).ok_or_else(not_found)?;
    let record = context.record(caller, &id).await?.ok_or_else(not_found)?;
    if own != Some(&id) && !EchoedSettings::of(&record).is_stored {
        return Err(not_found().into());
    }
    if !record.status.is_final() {
        let message = format!("The response '{previous}' has not ended yet. Wait for it, or cancel it.");
        return Err(fault("previous_response_in_progress", message).into());
    }
    if let Some(damage) = &record.damage {
        tracing::error!(run.id = %id, error = damage, "a response that is to be continued cannot be read");
        let message =
            format!("What is stored of the response '{previous}' cannot be read. Send its context again.");
        return Err(fault("previous_response_damaged", message).into());
    }
    let mut messages = record.request.input.clone();
    messages.extend(output(context, &id, record.entries.saturating_sub(1)).await?);
    Ok(PreviousResponse { messages, user_id: Some(record.user_id.to_string()) })
}

/// The output of a run that has ended, as its last entry has it.
async fn output(context: &ProtocolContext, id: &RunId, last: u64) -> Result<Vec<Message>, ApiError> {
    let page = context.runner().services().runs.read(id, last, PAGE_BYTES).await?;
    let batches = page.map(|page| page.batches).unwrap_or_default();
    let json = batches.iter().flat_map(|batch| sse::frames(&batch.frames)).last();
    Ok(match json.map(Event::from_slice) {
        Some(Ok(Event::Response(response))) => response.output.unwrap_or_default(),
        _ => Vec::new(),
    })
}

fn fault(code: &str, message: String) -> ErrorInfo {
    ErrorInfo::new(StatusCode::BAD_REQUEST, code, message).with_parameter("previous_response_id")
}
