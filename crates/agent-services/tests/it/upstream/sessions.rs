//! Upstream's operations on sessions.

use agent_schemas::{Json, Message, SessionId, UserId};
use agent_services::page::PageSize;
use agent_services::session::{MessageBatch, SessionStore};

use super::caller::{Answer, Arguments, Fault, session_json};
use super::case::{member, text};

pub(super) async fn call(store: &dyn SessionStore, operation: &str, arguments: &Arguments) -> Answer {
    match operation {
        "create_session" => return create(store, arguments).await,
        "get_session" => return get(store, &arguments.user(), &arguments.session()).await,
        "list_sessions" => return list(store, &arguments.user()).await,
        "append_message" => append(store, arguments).await?,
        "delete_session" => drop(store.delete(&arguments.user(), &arguments.session()).await?),
        "delete_user_sessions" => drop(store.delete_user(&arguments.user()).await?),
        other => panic!("an unknown operation: {other}"),
    }
    Ok(Json::Null)
}

/// A page so small that there are several.
fn few() -> PageSize {
    PageSize::new(2).expect("a size")
}

/// The caller has to trim an id, and to request a new one instead of a blank one.
async fn create(store: &dyn SessionStore, arguments: &Arguments) -> Answer {
    let trimmed = arguments.get("session_id").map(|id| text(id).trim().to_owned());
    let id = trimmed.filter(|id| !id.is_empty()).map(SessionId::new);
    let info = store.create(&arguments.user(), id.as_ref()).await?;
    Ok(session_json(&info.user_id, &info.id, &[]))
}

async fn get(store: &dyn SessionStore, user: &UserId, id: &SessionId) -> Answer {
    let Some(info) = store.get(user, id).await? else { return Ok(Json::Null) };
    let mut messages = Vec::new();
    while let Some(page) = store.messages(user, id, messages.len() as u64, few()).await? {
        if page.is_empty() {
            break;
        }
        messages.extend(page.into_iter().map(|stored| stored.message));
    }
    assert_eq!(info.message_count, messages.len() as u64);
    Ok(session_json(&info.user_id, &info.id, &messages))
}

/// Upstream lists the oldest first.
async fn list(store: &dyn SessionStore, user: &UserId) -> Answer {
    let (mut sessions, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(user, after, few()).await?;
        sessions.extend(page.items.iter().map(|info| session_json(&info.user_id, &info.id, &[])));
        after = page.next;
        if after.is_none() {
            sessions.reverse();
            return Ok(Json::Array(sessions));
        }
    }
}

/// The caller has to omit nulls, because they are not messages.
async fn append(store: &dyn SessionStore, arguments: &Arguments) -> Result<(), Fault> {
    let session = arguments.get("session").expect("a session");
    // The recordings of options in Redis only have the session's name; the user is always the same.
    let (user, id) = match session.get("session") {
        Some(id) => ("u".to_owned(), id),
        None => (text(member(session, "user_id")), member(session, "id")),
    };
    let given = match arguments.get("message") {
        Some(Json::Array(items)) => items.as_slice(),
        Some(message) => std::slice::from_ref(message),
        None => &[],
    };
    let given = given.iter().filter(|message| !message.is_null());
    let messages: Vec<Message> = given.map(|message| arguments.message(message)).collect::<Result<_, _>>()?;
    store.append(&UserId::new(user), &SessionId::new(text(id)), MessageBatch::of(&messages)?).await?;
    Ok(())
}
