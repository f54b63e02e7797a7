//! `/sessions`: a user's sessions and their messages.
//!
//! A session belongs to the request's principal, else to the user that `user_id` names; to others it does not exist. Requests
//! without a user are their session's own user, so a session without one is found under its own id.

use agent_schemas::api::sessions::{
    MessageAppend, MessagePage, MessagesAppended, SessionChange, SessionInfo, SessionPage,
};
use agent_schemas::id::message_id;
use agent_schemas::{JsonObject, SessionId, UserId};
use agent_services::page::PageToken;
use agent_services::session::{self as store, StoredMessage};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::error::ApiError;
use crate::extract::{JsonRequest, PathId, QueryParams};
use crate::state::App;

/// `GET /sessions?user_id=&after=&limit=`: a user's sessions, newest first.
pub(crate) async fn list(State(app): State<App>, query: QueryParams) -> Result<Json<SessionPage>, ApiError> {
    let user = query.required_user()?;
    let page =
        app.sessions().list(&user, query.number("after")?.map(PageToken), query.page_size("limit")?).await?;
    let next = page.next.map(|cursor| cursor.0.to_string());
    Ok(Json(SessionPage { data: page.items.into_iter().map(shown).collect(), next }))
}

/// `GET /sessions/{id}?user_id=`: a session.
pub(crate) async fn get(
    State(app): State<App>,
    PathId(id): PathId,
    query: QueryParams,
) -> Result<Json<SessionInfo>, ApiError> {
    let (user, id) = names(id, &query);
    let found = app.sessions().get(&user, &id).await?;
    found.map(|info| Json(shown(info))).ok_or_else(|| no_such(&id))
}

/// `PATCH /sessions/{id}?user_id=`: changes its title and metadata.
pub(crate) async fn patch(
    State(app): State<App>,
    PathId(id): PathId,
    query: QueryParams,
    request: JsonRequest,
) -> Result<Json<SessionInfo>, ApiError> {
    let (user, id) = names(id, &query);
    let body = request.into_body();
    let names_title = body.contains_key("title");
    let SessionChange { title, metadata } = SessionChange::from_json(body.into())?;
    let change = store::SessionChange { title: names_title.then_some(title), metadata };
    match app.sessions().change(&user, &id, change).await {
        Err(error) if error.kind() == agent_services::ErrorKind::NotFound => Err(no_such(&id)),
        done => Ok(Json(shown(done?))),
    }
}

/// `DELETE /sessions/{id}?user_id=`: deletes a session with its runs, of which those that have not ended are cancelled first.
/// What is not there is deleted: repeating it is answered alike.
pub(crate) async fn delete(
    State(app): State<App>,
    PathId(id): PathId,
    query: QueryParams,
) -> Result<StatusCode, ApiError> {
    let (user, id) = names(id, &query);
    app.runner().delete_session(&user, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /sessions/{id}/messages?user_id=&from=&limit=`, or `last=` instead: the messages.
pub(crate) async fn messages(
    State(app): State<App>,
    PathId(id): PathId,
    query: QueryParams,
) -> Result<Json<MessagePage>, ApiError> {
    let (user, id) = names(id, &query);
    if query.has("last") && (query.has("from") || query.has("limit")) {
        return Err(ApiError::BadParameter("last cannot be combined with from or limit".to_owned()));
    }
    let found = if query.has("last") {
        app.sessions().last_messages(&user, &id, query.page_size("last")?).await?
    } else {
        let from = query.number("from")?.unwrap_or_default();
        app.sessions().messages(&user, &id, from, query.page_size("limit")?).await?
    };
    let found = found.ok_or_else(|| no_such(&id))?;
    let info = app.sessions().get(&user, &id).await?.ok_or_else(|| no_such(&id))?;
    Ok(Json(page(found, info.message_count)))
}

/// `POST /sessions/{id}/messages?user_id=`: appends messages, and creates the session if necessary.
pub(crate) async fn append(
    State(app): State<App>,
    PathId(id): PathId,
    query: QueryParams,
    request: JsonRequest,
) -> Result<Json<MessagesAppended>, ApiError> {
    let (user, id) = names(id, &query);
    let append = MessageAppend::from_json(request.into_body().into())?;
    let MessageAppend { mut messages, key, skip_known } = append;
    for message in messages.iter_mut().filter(|message| message.id.is_empty()) {
        message.id = message_id(&*app.runner().services().ids);
    }
    let maybe_known = if skip_known { messages.len() } else { 0 };
    let batch = store::MessageBatch { key, maybe_known, ..store::MessageBatch::of(&messages)? };
    let appended = app.sessions().append(&user, &id, batch).await?;
    let shown = |number| i64::try_from(number).unwrap_or(i64::MAX);
    Ok(Json(MessagesAppended { first: shown(appended.first), count: shown(appended.count) }))
}

/// `POST /sessions/{id}/cancel?user_id=`: cancels the session's unfinished runs.
pub(crate) async fn cancel(
    State(app): State<App>,
    PathId(id): PathId,
    query: QueryParams,
) -> Result<Json<Canceled>, ApiError> {
    let (user, id) = names(id, &query);
    Ok(Json(Canceled { canceled: app.runner().cancel_session(&user, &id).await? }))
}

/// The number of runs that were asked to stop.
#[derive(Serialize)]
pub(crate) struct Canceled {
    canceled: u64,
}

fn page(found: Vec<StoredMessage>, message_count: u64) -> MessagePage {
    let position = |stored: &StoredMessage| i64::try_from(stored.position).unwrap_or(i64::MAX);
    let first = found.first().map_or(0, position);
    let has_more = found.last().is_some_and(|last| last.position + 1 < message_count);
    let next = found.last().filter(|_| has_more).map(|last| position(last).saturating_add(1));
    MessagePage { data: found.into_iter().map(|stored| stored.message).collect(), first, next }
}

/// The session that the path names, and the user that the query names.
fn names(id: String, query: &QueryParams) -> (UserId, SessionId) {
    let user = query.user().unwrap_or_else(|| UserId::new(id.as_str()));
    (user, SessionId::new(id))
}

fn no_such(id: &SessionId) -> ApiError {
    ApiError::NoSuchSession(id.to_string())
}

fn shown(info: store::SessionInfo) -> SessionInfo {
    let count = i64::try_from(info.message_count).unwrap_or(i64::MAX);
    let metadata: JsonObject = info.metadata;
    SessionInfo {
        id: info.id.to_string(),
        user_id: info.user_id.to_string(),
        title: info.title,
        metadata,
        message_count: count,
        created_at: info.created_at,
        updated_at: info.updated_at,
    }
}
