//! What a response goes on from: the input and the output of the one before, which has that of those before it in its input.

use agent_schemas::{Event, RunId, sse};
use axum::http::StatusCode;

use super::ids;
use super::kept::Kept;
use super::order::Earlier;
use crate::error::ApiError;
use crate::protocol::{Failure, Server};

/// The most of a log that is read to see its last entry.
const PAGE_BYTES: usize = 1024 * 1024;

/// Loads it; `own` is a response that counts although it is not stored.
pub(super) async fn load(
    server: &Server,
    previous: Option<&str>,
    own: Option<&RunId>,
) -> Result<Earlier, ApiError> {
    let Some(previous) = previous else { return Ok(Earlier::default()) };
    let not_found =
        || fault("previous_response_not_found", format!("Previous response with id '{previous}' not found."));
    let id = ids::run_id(previous).ok_or_else(not_found)?;
    let record = server.record(&id).await?.ok_or_else(not_found)?;
    if own != Some(&id) && !Kept::of(&record.request, &record.agent).is_stored {
        return Err(not_found().into());
    }
    if !record.status.is_final() {
        let message = format!("The response '{previous}' is not whole yet; wait for its end or cancel it.");
        return Err(fault("previous_response_in_progress", message).into());
    }
    let mut messages = record.request.input.clone();
    messages.extend(output(server, &id, record.entries.saturating_sub(1)).await?);
    Ok(Earlier { messages, user_id: Some(record.user_id.to_string()) })
}

/// The output of a run that has ended, as its last entry has it.
async fn output(server: &Server, id: &RunId, last: u64) -> Result<Vec<agent_schemas::Message>, ApiError> {
    let page = server.runner().services().runs.read(id, last, PAGE_BYTES).await?;
    let batches = page.map(|page| page.batches).unwrap_or_default();
    let json = batches.iter().flat_map(|batch| sse::frames(&batch.frames)).last();
    Ok(match json.map(Event::from_slice) {
        Some(Ok(Event::Response(response))) => response.output.unwrap_or_default(),
        _ => Vec::new(),
    })
}

fn fault(code: &str, message: String) -> Failure {
    let failure = Failure::new(StatusCode::BAD_REQUEST, code, message);
    Failure { parameter: Some("previous_response_id".to_owned()), ..failure }
}
