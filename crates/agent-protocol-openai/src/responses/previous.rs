//! The response that another one continues.

use agent_runner::{ContextError, RunContext};
use agent_schemas::RunId;
use agent_services::run::RunRecord;
use axum::http::StatusCode;

use super::echoed::EchoedSettings;
use super::ids;
use agent_server::protocol::ApiError;
use agent_server::protocol::{Caller, ErrorInfo, ProtocolContext};

/// Loads its context, input and output; `own` is a response that may be continued although it is not stored.
pub(super) async fn load(
    context: &ProtocolContext,
    caller: &Caller,
    previous: Option<&str>,
    own: Option<&RunId>,
) -> Result<Option<RunContext>, ApiError> {
    let Some(previous) = previous else { return Ok(None) };
    let not_found =
        || fault("previous_response_not_found", format!("Previous response with id '{previous}' not found."));
    let id = ids::run_id(previous).ok_or_else(not_found)?;
    let may_continue = |record: &RunRecord| own == Some(&id) || EchoedSettings::of(record).is_stored;
    match context.context(caller, &id, may_continue).await {
        Ok(context) => Ok(Some(context)),
        Err(ContextError::Store(error)) => Err(error.into()),
        Err(ContextError::Unfinished(_)) => {
            let message = format!("The response '{previous}' has not ended yet. Wait for it, or cancel it.");
            Err(fault("previous_response_in_progress", message).into())
        }
        Err(ContextError::Gap(gone)) => {
            let message = format!(
                "The response '{previous}' cannot be continued, because the response '{}', which it continues, was deleted \
                 or has expired. Send the whole input without previous_response_id.",
                ids::response_id(&gone)
            );
            Err(fault("previous_response_not_found", message).into())
        }
        Err(ContextError::Damaged(damaged, damage)) => {
            tracing::error!(run.id = %damaged, error = damage, "a response that is to be continued cannot be read");
            let message = format!(
                "What is stored of the response '{previous}' cannot be read. Send its context again."
            );
            Err(fault("previous_response_damaged", message).into())
        }
        Err(_) => Err(not_found().into()),
    }
}

fn fault(code: &str, message: String) -> ErrorInfo {
    ErrorInfo::new(StatusCode::BAD_REQUEST, code, message).with_parameter("previous_response_id")
}
