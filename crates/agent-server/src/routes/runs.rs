//! `/runs`: runs by their ids, regardless of the process that executes them.
//!
//! A run's id is the right to read and cancel it, unless the request has a principal; a list needs the user whose runs they
//! are.

use agent_runner::Run;
use agent_schemas::api::runs::{RunInfo, RunPage};
use agent_schemas::{RunId, SessionId, Status, sse as frames};
use agent_services::page::PageToken;
use agent_services::run::{LogChunk, RunFilter, RunRecord, may_exist};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::extract::{Caller, PathId, QueryParams, RunRequest, last_event, position};
use crate::headers::{keeps_alive, set_run_id};
use crate::run_info::{info_of, shown};
use crate::sse;
use crate::state::App;

/// The approximate maximum size of a JSON page of a log.
const PAGE_BYTES: usize = 1024 * 1024;

/// `POST /runs`: starts a background run.
pub(crate) async fn post(State(app): State<App>, request: RunRequest) -> Result<Response, ApiError> {
    in_background(&app, request).await
}

/// Starts a background run and responds with its state.
pub(crate) async fn in_background(app: &App, request: RunRequest) -> Result<Response, ApiError> {
    let RunRequest { request, mut options, last_event, memory, .. } = request;
    if last_event.is_some() {
        return Err(ApiError::NotTogether(
            "Last-Event-ID requires a stream; a background run has none".into(),
        ));
    }
    options.background = true;
    let run = app.start(request, options, false).await?;
    drop(memory);
    let id = run.id().clone();
    let record = app.runner().record(&id).await?.ok_or_else(|| no_such(&id))?;
    let info = shown(app, record).await?;
    let mut response = (StatusCode::ACCEPTED, Json(info)).into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("/runs/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    set_run_id(&mut response, &id);
    Ok(response)
}

/// `GET /runs?user_id=&session_id=&status=&after=&limit=`: a user's runs, newest first.
pub(crate) async fn list(State(app): State<App>, query: QueryParams) -> Result<Json<RunPage>, ApiError> {
    let user = query.required_user()?;
    let mut filter = RunFilter::default();
    filter.session = query.text("session_id").map(SessionId::new);
    filter.status = query.text("status").map(status).transpose()?;
    let after = query.number("after")?.map(PageToken);
    let page = app.runner().list(&user, &filter, after, query.page_size("limit")?).await?;
    let data = page.items.into_iter().map(info_of).collect();
    Ok(Json(RunPage { data, next: page.next.map(|cursor| cursor.0.to_string()) }))
}

/// A status that a run can have.
fn status(word: &str) -> Result<Status, ApiError> {
    const KNOWN: [Status; 6] = [
        Status::Queued,
        Status::InProgress,
        Status::Completed,
        Status::Failed,
        Status::Canceled,
        Status::Incomplete,
    ];
    KNOWN.into_iter().find(|known| known.as_str() == word).ok_or_else(|| {
        let known = KNOWN.each_ref().map(Status::as_str).join(", ");
        ApiError::BadParameter(format!("status should be one of {known}, but is '{word}'"))
    })
}

/// `GET /runs/{id}`: a run, with its response if it has ended.
pub(crate) async fn get(
    State(app): State<App>,
    PathId(id): PathId,
    caller: Caller,
) -> Result<Json<RunInfo>, ApiError> {
    let record = known(&app, &caller, &RunId::new(id)).await?;
    Ok(Json(shown(&app, record).await?))
}

/// `DELETE /runs/{id}`: deletes a run that has ended. Repeating it is answered alike: an id that this server may have made was
/// a run's, as nobody can guess one.
pub(crate) async fn delete(
    State(app): State<App>,
    PathId(id): PathId,
    caller: Caller,
) -> Result<StatusCode, ApiError> {
    let id = RunId::new(id);
    if caller.user().is_some()
        && let Some(record) = app.runner().record(&id).await?
        && !caller.may_see(&record.user_id)
    {
        return Err(no_such(&id));
    }
    if app.runner().services().runs.delete(&id).await? || may_exist(&id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_such(&id))
    }
}

/// `POST /runs/{id}/cancel`: asks a run to stop; one that has ended stays as it is.
pub(crate) async fn cancel(
    State(app): State<App>,
    PathId(id): PathId,
    caller: Caller,
) -> Result<Json<RunInfo>, ApiError> {
    let id = RunId::new(id);
    check_visible(&app, &caller, &id).await?;
    if !app.runner().cancel(&id).await? {
        return Err(no_such(&id));
    }
    let record = known(&app, &caller, &id).await?;
    Ok(Json(shown(&app, record).await?))
}

/// `GET /runs/{id}/events`: the run's log from its beginning, or after `Last-Event-ID` (or `?after=`): as a stream of
/// events to its end, or as a page of the available events for a client that accepts JSON.
pub(crate) async fn events(
    State(app): State<App>,
    PathId(id): PathId,
    query: QueryParams,
    caller: Caller,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let id = RunId::new(id);
    let after = match (last_event(request.headers())?, query.text("after")) {
        (Some(_), Some(_)) => {
            return Err(ApiError::NotTogether(
                "Last-Event-ID and after both name a position; send only one of them".into(),
            ));
        }
        (Some(position), None) => Some(position),
        (None, Some(text)) => Some(position(text)?),
        (None, None) => None,
    };
    let size = query.page_size("limit")?;
    let run = app.runner().attach(&id).await?.filter(|run| caller.may_see(run.user_id()));
    let run = run.ok_or_else(|| no_such(&id))?;
    let cursor = match after {
        Some((number, epoch)) => run.cursor_after(number, epoch).await?,
        None => run.answer_cursor()?,
    };
    if takes_json(&request) {
        return page(&app, &run, cursor.position(), size.get()).await;
    }
    drop(run);
    let keeps_alive = keeps_alive(request.version(), request.headers());
    let mut response = sse::respond_with_log(&app, cursor, keeps_alive);
    set_run_id(&mut response, &id);
    Ok(response)
}

fn takes_json(request: &Request<Body>) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("application/json") && !accept.contains("text/event-stream"))
}

/// `{"data": [events], "next": the id after which to continue, or null at the log's end}`.
async fn page(app: &App, run: &Run, from: u64, limit: usize) -> Result<Response, ApiError> {
    let read = app.runner().services().runs.read(run.id(), from, PAGE_BYTES).await?;
    let LogChunk { batches, is_end } = read.ok_or_else(|| no_such(run.id()))?;
    let all = batches.iter().flat_map(|batch| frames::frames_with_ids(&batch.frames));
    let mut body = b"{\"data\":[".to_vec();
    let (mut count, mut last, mut is_cut) = (0, None, false);
    for (id, json) in all {
        if count == limit {
            is_cut = true;
            break;
        }
        if count > 0 {
            body.push(b',');
        }
        body.extend_from_slice(json);
        last = Some(id);
        count += 1;
    }
    body.extend_from_slice(b"],\"next\":");
    match last {
        Some(id) if is_cut || !is_end => {
            body.push(b'"');
            body.extend_from_slice(id);
            body.push(b'"');
        }
        _ => body.extend_from_slice(b"null"),
    }
    body.extend_from_slice(if is_end && !is_cut { b",\"ended\":true}" } else { b",\"ended\":false}" });
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// A run that exists for the caller.
pub(crate) async fn known(app: &App, caller: &Caller, id: &RunId) -> Result<RunRecord, ApiError> {
    let record = app.runner().record(id).await?.filter(|record| caller.may_see(&record.user_id));
    record.ok_or_else(|| no_such(id))
}

/// Refuses the runs of others. Without a principal there are none, and nothing is looked up.
async fn check_visible(app: &App, caller: &Caller, id: &RunId) -> Result<(), ApiError> {
    if caller.user().is_some() {
        known(app, caller, id).await?;
    }
    Ok(())
}

fn no_such(id: &RunId) -> ApiError {
    ApiError::NoSuchRun(id.to_string())
}
