//! `/v1/conversations/{id}/items`: the messages of a session, as items.

use std::ops::ControlFlow;

use agent_schemas::id::message_id;
use agent_schemas::{Json as Value, Message};
use agent_services::page::PageSize;
use agent_services::session::{MessageBatch, StoredMessage};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Named;
use crate::list::{Gathered, List, PageOf, id_of};
use crate::responses::ids::locate;
use crate::responses::references::{Resolver, call_ids};
use crate::responses::{input, items};
use agent_server::protocol::ApiError;
use agent_server::protocol::{Caller, ErrorInfo, Fields, JsonRequest, PathId, ProtocolContext, QueryParams};

/// How many messages are read in one call.
const MESSAGES: u64 = 100;

/// The items of a request; items without an id get one.
pub(super) async fn messages(
    context: &ProtocolContext,
    caller: &Caller,
    request: &Fields<'_>,
) -> Result<Vec<Message>, ApiError> {
    let references = Resolver::new(context, caller).resolve(request, "items").await?;
    let mut messages = input::items(request, "items", &references)?;
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
    caller: Caller,
    request: JsonRequest,
) -> Result<Json<List>, ApiError> {
    let request = Fields::new(request.body());
    if request.get("items").is_none() {
        return Err(request.fault("items", "this field is required").into());
    }
    let messages = messages(&context, &caller, &request).await?;
    let named = Named::new(&id, &query);
    named.info(&context).await?;
    append(&context, &named, &messages).await?;
    Ok(Json(List::of(shown(&messages, &mut Vec::new()), false)))
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
    let (plain, _) = locate(&item);
    let mut found = None;
    walk(&context, &named, true, |candidate| {
        if id_of(&candidate) == Some(plain) {
            found = Some(candidate);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })
    .await?;
    let message = format!("Item with id '{item}' not found.");
    Ok(Json(found.ok_or_else(|| ErrorInfo::new(StatusCode::NOT_FOUND, "item_not_found", message))?))
}

/// Deletes an item, and if it is a call that the agent executed itself, also its output. Succeeds if the item does not
/// exist, so that a deletion can be repeated. Answers with the conversation.
pub(super) async fn delete(
    State(context): State<ProtocolContext>,
    PathId((id, item)): PathId<(String, String)>,
    query: QueryParams,
) -> Result<Json<Value>, ApiError> {
    let named = Named::new(&id, &query);
    let sessions = &context.runner().services().sessions;
    for StoredMessage { position, message } in behind(&context, &named, &item).await? {
        sessions.delete_message(&named.user, &named.id, position, &message.id).await?;
    }
    Ok(Json(super::shown(named.info(&context).await?)))
}

/// The messages behind an item.
async fn behind(
    context: &ProtocolContext,
    named: &Named,
    item: &str,
) -> Result<Vec<StoredMessage>, ApiError> {
    let (item, _) = locate(item);
    let mut end = named.info(context).await?.message_count;
    let mut answers: Vec<StoredMessage> = Vec::new();
    while end > 0 {
        let from = end.saturating_sub(MESSAGES);
        for stored in page(context, named, from, end - from).await?.into_iter().rev() {
            let shown = items::of_message(&stored.message);
            let is_it = shown
                .iter()
                .filter_map(|shown| Value::from_serialize(shown).ok())
                .any(|shown| id_of(&shown) == Some(item));
            if is_it && shown.len() > 1 {
                let message = "the item shares a message with other items and cannot be deleted alone";
                return Err(ErrorInfo::new(StatusCode::BAD_REQUEST, "unsupported_operation", message).into());
            }
            if is_it {
                let calls: Vec<&str> = call_ids(&stored.message).collect();
                answers.retain(|answer| call_ids(&answer.message).any(|id| calls.contains(&id)));
                // The nearest output is the call's.
                let own = answers.pop().filter(|_| items::is_own_call(&stored.message));
                return Ok([Some(stored), own].into_iter().flatten().collect());
            }
            if items::is_own_answer(&stored.message) {
                answers.push(stored);
            }
        }
        end = from;
    }
    Ok(Vec::new())
}

/// Passes the items of a conversation to a visitor, in either order, until it has enough.
async fn walk(
    context: &ProtocolContext,
    named: &Named,
    is_descending: bool,
    mut visit: impl FnMut(Value) -> ControlFlow<()>,
) -> Result<(), ApiError> {
    let count = named.info(context).await?.message_count;
    // Outputs whose calls are on the page before.
    let mut later = Vec::new();
    let mut done = 0;
    let mut next =
        if is_descending { Vec::new() } else { messages_in(context, named, 0, MESSAGES.min(count)).await? };
    while done < count {
        let size = MESSAGES.min(count - done);
        let mut items = if is_descending {
            let messages = messages_in(context, named, count - done - size, size).await?;
            shown(&messages, &mut later)
        } else {
            let messages = next;
            let from = done + size;
            next = messages_in(context, named, from, MESSAGES.min(count - from)).await?;
            later.clear();
            items::of_messages(&next, &mut later);
            shown(&messages, &mut later)
        };
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

async fn messages_in(
    context: &ProtocolContext,
    named: &Named,
    from: u64,
    size: u64,
) -> Result<Vec<Message>, ApiError> {
    let stored = page(context, named, from, size).await?;
    Ok(stored.into_iter().map(|stored| stored.message).collect())
}

/// The messages at these positions; none at positions of deleted messages.
async fn page(
    context: &ProtocolContext,
    named: &Named,
    from: u64,
    size: u64,
) -> Result<Vec<StoredMessage>, ApiError> {
    if size == 0 {
        return Ok(Vec::new());
    }
    let limit = PageSize::new(usize::try_from(size).unwrap_or(1))?;
    let stored = context.runner().services().sessions.messages(&named.user, &named.id, from, limit).await?;
    let mut stored = stored.ok_or_else(|| named.missing())?;
    stored.retain(|stored| stored.position < from + size);
    Ok(stored)
}

fn shown(messages: &[Message], later: &mut Vec<items::Answer>) -> Vec<Value> {
    let items = items::of_messages(messages, later);
    items.iter().filter_map(|item| Value::from_serialize(item).ok()).collect()
}
