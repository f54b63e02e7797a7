//! `/v1/conversations/{id}/items`: the messages of a session, as items.

use std::collections::HashSet;
use std::ops::ControlFlow;

use agent_schemas::id::message_id;
use agent_schemas::{Json as Value, Message};
use agent_services::page::PageSize;
use agent_services::session::MessageBatch;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};

use super::super::list::{Gathered, List, PageOf, id_of};
use super::super::responses::{input, items};
use super::{Named, no_text};
use crate::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::{Failure, Server};
use crate::query::{Given, IdInPath, Parameters};

/// The ids of a conversation and of one of its items.
type ItemInPath = Result<Path<(String, String)>, PathRejection>;

/// How many messages are read at once.
const MESSAGES: u64 = 100;

/// The items of a request, with ids where they had none.
pub(super) fn messages(server: &Server, request: &Fields<'_>) -> Result<Vec<Message>, Failure> {
    let mut messages = input::items(request, "items", &HashSet::new())?;
    for message in messages.iter_mut().filter(|message| message.id.is_empty()) {
        message.id = message_id(&*server.runner().services().ids);
    }
    Ok(messages)
}

pub(super) async fn append(server: &Server, named: &Named, messages: &[Message]) -> Result<(), ApiError> {
    let sessions = &server.runner().services().sessions;
    sessions.append(&named.user, &named.id, MessageBatch::of(messages)?).await?;
    Ok(())
}

pub(super) async fn add(
    State(server): State<Server>,
    id: IdInPath,
    query: Parameters,
    request: Request<Body>,
) -> Result<Json<List>, ApiError> {
    let call = server.read(request).await?;
    let request = Fields::new(call.body());
    if request.get("items").is_none() {
        return Err(request.fault("items", "this field is required").into());
    }
    let messages = messages(&server, &request)?;
    let named = Named::in_path(id, query)?;
    named.info(&server).await?;
    append(&server, &named, &messages).await?;
    Ok(Json(List::of(messages.iter().flat_map(shown).collect(), false)))
}

pub(super) async fn list(
    State(server): State<Server>,
    id: IdInPath,
    query: Parameters,
) -> Result<Json<List>, ApiError> {
    let query = Given::new(query)?;
    let Ok(Path(id)) = id else { return Err(no_text("conversation_id")) };
    let (page, named) = (PageOf::read(&query)?, Named::new(&id, &query));
    let mut gathered = Gathered::new(&page);
    walk(&server, &named, page.is_descending(), |item| {
        if gathered.take(item) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await?;
    Ok(Json(gathered.finish()?))
}

pub(super) async fn read(
    State(server): State<Server>,
    ids: ItemInPath,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    let Ok(Path((id, item))) = ids else { return Err(no_text("item_id")) };
    let named = Named::new(&id, &Given::new(query)?);
    let mut found = None;
    walk(&server, &named, true, |candidate| {
        if id_of(&candidate) == Some(&item) {
            found = Some(candidate);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })
    .await?;
    let message = format!("Item with id '{item}' not found.");
    Ok(Json(found.ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "item_not_found", message))?))
}

/// Sessions only grow.
pub(super) async fn delete(
    State(server): State<Server>,
    ids: ItemInPath,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    let Ok(Path((id, _))) = ids else { return Err(no_text("item_id")) };
    Named::new(&id, &Given::new(query)?).info(&server).await?;
    let message =
        "single items cannot be deleted here; delete the conversation, or go on from an earlier response";
    Err(Failure::new(StatusCode::BAD_REQUEST, "unsupported_operation", message).into())
}

/// Shows the items of a conversation to a visitor, in either order, until it has seen enough.
async fn walk(
    server: &Server,
    named: &Named,
    is_descending: bool,
    mut visit: impl FnMut(Value) -> ControlFlow<()>,
) -> Result<(), ApiError> {
    let count = named.info(server).await?.message_count;
    let mut done = 0;
    while done < count {
        let size = MESSAGES.min(count - done);
        let from = if is_descending { count - done - size } else { done };
        let size_of_page = PageSize::new(usize::try_from(size).unwrap_or(1))?;
        let sessions = &server.runner().services().sessions;
        let stored = sessions.messages(&named.user, &named.id, from, size_of_page).await?;
        let stored = stored.ok_or_else(|| named.missing())?;
        let mut items: Vec<Value> = stored.iter().flat_map(|stored| shown(&stored.message)).collect();
        if is_descending {
            items.reverse();
        }
        if items.into_iter().any(|item| visit(item).is_break()) {
            break;
        }
        done += size;
    }
    Ok(())
}

fn shown(message: &Message) -> Vec<Value> {
    let items = items::of_message(message);
    items.iter().filter_map(|item| Value::from_serialize(item).ok()).collect()
}
