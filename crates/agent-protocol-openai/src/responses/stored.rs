//! `/v1/responses/{id}`: existing responses, whichever process created them, and over whichever protocol.

use std::time::Duration;

use agent_runner::Run;
use agent_schemas::{Json as Value, RunId, object};
use agent_services::run::{RunRecord, may_exist};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use tokio::time::timeout;

use super::echoed::{EchoedSettings, new_input};
use super::translator::{Form, Responses};
use super::{ids, items};
use crate::list::{List, PageOf};
use agent_server::protocol::ApiError;
use agent_server::protocol::{Caller, ErrorInfo, PathId, ProtocolContext, QueryParams};

/// How much longer than its grace period to wait for a cancelled run.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /v1/responses/{id}`: the response in its current state; with `stream=true` its events, from the first or from
/// those after `starting_after`.
pub(super) async fn get(
    State(context): State<ProtocolContext>,
    PathId(id): PathId,
    caller: Caller,
    query: QueryParams,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (record, echoed) = stored(&context, &caller, id).await?;
    let mut translator = Responses::new(&record.id, echoed, Form::Plain);
    let starting_after = query.number("starting_after")?;
    if !flag(&query, "stream")? {
        return context.snapshot(&record.id, translator).await;
    }
    if let Some(number) = starting_after {
        translator = translator.after(number);
    }
    let run = context.runner().attach(&record.id).await?.ok_or_else(|| not_found(&record.id))?;
    check_is_whole(&run)?;
    Ok(context.stream(&run, &request.into_parts().0, translator))
}

/// `POST /v1/responses/{id}/cancel`: asks it to stop, and responds once it has.
pub(super) async fn cancel(
    State(context): State<ProtocolContext>,
    PathId(id): PathId,
    caller: Caller,
) -> Result<Response, ApiError> {
    let (record, echoed) = stored(&context, &caller, id).await?;
    let id = &record.id;
    if !context.runner().cancel(id).await? {
        return Err(not_found(id));
    }
    let run = context.runner().attach(id).await?.ok_or_else(|| not_found(id))?;
    let translator = || Responses::new(id, echoed.clone(), Form::Plain);
    let grace = context.runner().limits().cancel_grace.saturating_add(PATIENCE);
    match timeout(grace, context.collect(&run, translator())).await {
        Ok(response) => Ok(response),
        Err(_) => context.snapshot(id, translator()).await,
    }
}

/// `DELETE /v1/responses/{id}`: deletes a response that has ended. Can be repeated: an unknown id that this server may
/// have generated counts as that of a deleted response, because nobody can guess one.
pub(super) async fn delete(
    State(context): State<ProtocolContext>,
    PathId(id): PathId,
    caller: Caller,
) -> Result<Json<Value>, ApiError> {
    let run = ids::run_id(&id).ok_or_else(|| no_response(&id))?;
    match context.runner().record(&run).await? {
        Some(record) if !caller.may_see(&record.user_id) || !EchoedSettings::of(&record).is_stored => {
            return Err(not_found(&run));
        }
        Some(record) if !record.status.is_final() => {
            let message = "The response has not ended yet; cancel it before you delete it";
            return Err(ErrorInfo::new(StatusCode::CONFLICT, "response_in_progress", message).into());
        }
        _ => {}
    }
    if !context.runner().services().runs.delete(&run).await? && !may_exist(&run) {
        return Err(not_found(&run));
    }
    Ok(Json(object! { "id" => ids::response_id(&run), "object" => "response", "deleted" => true }.into()))
}

/// `GET /v1/responses/{id}/input_items`: the request's own input, without the response that it continues.
pub(super) async fn input_items(
    State(context): State<ProtocolContext>,
    PathId(id): PathId,
    caller: Caller,
    query: QueryParams,
) -> Result<Json<List>, ApiError> {
    let (record, _) = stored(&context, &caller, id).await?;
    let page = PageOf::read(&query)?;
    let items = items::of_messages(new_input(&record), &mut Vec::new());
    let items = items.iter().filter_map(|item| Value::from_serialize(item).ok()).collect();
    Ok(Json(page.of(items)?))
}

/// The record and the settings of a response that the caller may retrieve.
async fn stored(
    context: &ProtocolContext,
    caller: &Caller,
    id: String,
) -> Result<(RunRecord, EchoedSettings), ApiError> {
    let missing = || no_response(&id);
    let run = ids::run_id(&id).ok_or_else(missing)?;
    let record = context.record(caller, &run).await?.ok_or_else(missing)?;
    let echoed = EchoedSettings::of(&record);
    if echoed.is_stored { Ok((record, echoed)) } else { Err(missing().into()) }
}

/// The events of a response are its run's log, which is kept for a shorter time than the response.
pub(super) fn check_is_whole(run: &Run) -> Result<(), ErrorInfo> {
    if !run.is_trimmed() {
        return Ok(());
    }
    let message = "The events of this response are no longer kept. Retrieve it without stream=true";
    Err(ErrorInfo::new(StatusCode::GONE, "response_events_gone", message))
}

fn no_response(id: &str) -> ErrorInfo {
    let message = format!("Response with id '{id}' not found.");
    ErrorInfo::new(StatusCode::NOT_FOUND, "response_not_found", message)
}

fn not_found(id: &RunId) -> ApiError {
    no_response(&ids::response_id(id)).into()
}

fn flag(query: &QueryParams, name: &str) -> Result<bool, ApiError> {
    match query.text(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ErrorInfo::at_parameter(name, "expected true or false").into()),
    }
}
