//! `/v1/responses/{id}`: responses that were made before, whichever process makes or made them, and over whichever protocol.

use std::time::Duration;

use agent_runner::Run;
use agent_schemas::{Json as Value, RunId, object};
use agent_services::run::RunRecord;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use tokio::time::timeout;

use super::super::list::{List, PageOf};
use super::kept::Kept;
use super::translator::{Form, Responses};
use super::{ids, items};
use crate::error::ApiError;
use crate::protocol::{Failure, Server};
use crate::query::{Given, IdInPath, Parameters};

/// How much longer than its grace a cancelled run is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /v1/responses/{id}`: the response as it stands; with `stream=true` its events, from the first or from those after
/// `starting_after` on.
pub(super) async fn get(
    State(server): State<Server>,
    id: IdInPath,
    query: Parameters,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (record, kept) = stored(&server, id).await?;
    let query = Given::new(query)?;
    let mut translator = Responses::new(&record.id, kept, Form::Plain);
    let starting_after = query.number("starting_after")?;
    if !flag(&query, "stream")? {
        return server.so_far(&record.id, translator).await;
    }
    if let Some(number) = starting_after {
        translator = translator.after(number);
    }
    let run = server.runner().attach(&record.id).await?.ok_or_else(|| not_found(&record.id))?;
    check_is_whole(&run)?;
    Ok(server.stream(&run, &request.into_parts().0, translator))
}

/// `POST /v1/responses/{id}/cancel`: asks it to stop, and answers once it has.
pub(super) async fn cancel(State(server): State<Server>, id: IdInPath) -> Result<Response, ApiError> {
    let (record, kept) = stored(&server, id).await?;
    let id = &record.id;
    if !server.runner().cancel(id).await? {
        return Err(not_found(id));
    }
    let run = server.runner().attach(id).await?.ok_or_else(|| not_found(id))?;
    let translator = || Responses::new(id, kept.clone(), Form::Plain);
    let grace = server.runner().limits().cancel_grace.saturating_add(PATIENCE);
    match timeout(grace, server.whole(&run, translator())).await {
        Ok(response) => Ok(response),
        Err(_) => server.so_far(id, translator()).await,
    }
}

/// `DELETE /v1/responses/{id}`: forgets a response that has ended.
pub(super) async fn delete(State(server): State<Server>, id: IdInPath) -> Result<Json<Value>, ApiError> {
    let (record, _) = stored(&server, id).await?;
    if !record.status.is_final() {
        let message = "The response is not whole yet; cancel it before it is deleted";
        return Err(Failure::new(StatusCode::CONFLICT, "response_in_progress", message).into());
    }
    if !server.runner().services().runs.delete(&record.id).await? {
        return Err(not_found(&record.id));
    }
    let id = ids::response_id(&record.id);
    Ok(Json(object! { "id" => id, "object" => "response", "deleted" => true }.into()))
}

/// `GET /v1/responses/{id}/input_items`: what was said to the agent, without what the response goes on from.
pub(super) async fn input_items(
    State(server): State<Server>,
    id: IdInPath,
    query: Parameters,
) -> Result<Json<List>, ApiError> {
    let (record, kept) = stored(&server, id).await?;
    let page = PageOf::read(&Given::new(query)?)?;
    let own = record.request.input.get(kept.earlier..).unwrap_or_default();
    let items = own.iter().flat_map(items::of_message);
    let items = items.filter_map(|item| Value::from_serialize(&item).ok()).collect();
    Ok(Json(page.of(items)?))
}

/// What is known of a response that may be asked for.
async fn stored(server: &Server, id: IdInPath) -> Result<(RunRecord, Kept), ApiError> {
    let Ok(Path(id)) = id else {
        return Err(Failure::of_parameter("response_id", "it is not UTF-8 in percent-encoding").into());
    };
    let missing = || no_response(&id);
    let run = ids::run_id(&id).ok_or_else(missing)?;
    let record = server.record(&run).await?.ok_or_else(missing)?;
    let kept = Kept::of(&record.request, &record.agent);
    if kept.is_stored { Ok((record, kept)) } else { Err(missing().into()) }
}

/// The events of a response are its run's log, which is kept for a shorter time than the response.
pub(super) fn check_is_whole(run: &Run) -> Result<(), Failure> {
    if !run.is_trimmed() {
        return Ok(());
    }
    let message = "The events of this response are not kept any more; retrieve it without stream=true";
    Err(Failure::new(StatusCode::GONE, "response_events_gone", message))
}

fn no_response(id: &str) -> Failure {
    let message = format!("Response with id '{id}' not found.");
    Failure::new(StatusCode::NOT_FOUND, "response_not_found", message)
}

fn not_found(id: &RunId) -> ApiError {
    no_response(&ids::response_id(id)).into()
}

fn flag(query: &Given, name: &str) -> Result<bool, ApiError> {
    match query.text(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Failure::of_parameter(name, "expected true or false").into()),
    }
}
