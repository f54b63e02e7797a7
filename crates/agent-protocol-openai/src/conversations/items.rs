//! `/v1/conversations/{id}/items`: the messages of a session, as items.

use std::collections::HashSet;
use std::ops::ControlFlow;

use agent_schemas::id::message_id;
use agent_schemas::{Json as Value, Message};
use agent_services::page::PageSize;
use agent_services::session::MessageBatch;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Named;
use crate::list::{Gathered, List, PageOf, id_of};
use crate::responses::{input, items};
use agent_server::protocol::ApiError;
use agent_server::protocol::{ErrorInfo, Fields, JsonRequest, PathId, ProtocolContext, QueryParams};

/// How many messages are read in one call.
const MESSAGES: u64 = 100;

/// The items of a request; items without an id get one.
pub(super) fn messages(context: &ProtocolContext, request: &Fields<'_>) -> Result<Vec<Message>, ErrorInfo> {
    let mut messages = input::items(request, "items", &HashSet::new())?;
    for message in messages.iter_mut().filter(|message| message.id.is_empty()) {
        message.id = message_id(&*context.runner().services().ids);
    }
    Ok(messages)
}

pub(super) async fn append(
    context: &ProtocolContext,
    named: &Named,
    messages: &[Message],
) -> Result<(), ApiError> {
    let sessions = &context.runner().services().sessions;
    sessions.append(&named.user, &named.id, MessageBatch::of(messages)?).await?;
    Ok(())
}

pub(super) async fn add(
    State(context): State<ProtocolContext>,
    PathId(id): PathId,
    query: QueryParams,
    request: JsonRequest,
) -> Result<Json<List>, ApiError> {
    let request = Fields::new(request.body());
    if request.get("items").is_none() {
        return Err(request.fault("items", "this field is required").into());
    }
    let messages = messages(&context, &request)?;
    let named = Named::new(&id, &query);
    named.info(&context).await?;
    append(&context, &named, &messages).await?;
    Ok(Json(List::of(messages.iter().flat_map(shown).collect(), false)))
}

pub(super) async fn list(
    State(context): State<ProtocolContext>,
    PathId(id): PathId,
    query: QueryParams,
) -> Result<Json<List>, ApiError> {
    let (page, named) = (PageOf::read(&query)?, Named::new(&id, &query));
    let mut gathered = Gathered::new(&page);
    walk(&context, &named, page.is_descending(), |item| {
        if gathered.take(item) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await?;
    Ok(Json(gathered.finish()?))
}

pub(super) async fn read(
    State(context): State<ProtocolContext>,
    PathId((id, item)): PathId<(String, String)>,
    query: QueryParams,
) -> Result<Json<Value>, ApiError> {
    let named = Named::new(&id, &query);
    let mut found = None;
    walk(&context, &named, true, |candidate| {
        if id_of(&candidate) == Some(&item) {
            found = Some(candidate);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })
    .await?;
    let message = format!("Item with id '{item}' not found.");
    Ok(Json(found.ok_or_else(|| ErrorInfo::new(StatusCode::NOT_FOUND, "item_not_found", message))?))
}

/// Sessions only grow.
pub(super) async fn delete(
    State(context): State<ProtocolContext>,
    PathId((id, _)): PathId<(String, String)>,
    query: QueryParams,
) -> Result<Json<Value>, ApiError> {
    Named::new(&id, &query).info(&context).await?;
    let message = "deleting single items is not supported; delete the conversation, or continue from an earlier response";
    Err(ErrorInfo::new(StatusCode::BAD_REQUEST, "unsupported_operation", message).into())
}

/// Passes the items of a conversation to a visitor, in either order, until it has enough.
async fn walk(
    context: &ProtocolContext,
    named: &Named,
    is_descending: bool,
    mut visit: impl FnMut(Value) -> ControlFlow<()>,
) -> Result<(), ApiError> {
    let count = named.info(context).await?.message_count;
    let mut done = 0;
    while done < count {
        let size = MESSAGES.min(count - done);
        let from = if is_descending { count - done - size } else { done };
        let size_of_page = PageSize::new(usize::try_from(size).unwrap_or(1))?;
        let sessions = &context.runner().services().sessions;
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
