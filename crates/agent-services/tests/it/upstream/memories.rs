//! Upstream's operations on memories.

use agent_schemas::{Json, Message, MessageType};
use agent_services::memory::{Memory, MemoryQuery, MemoryStore};
use agent_services::page::{MAX_PAGE, PageSize};

use super::caller::{Answer, Arguments, Fault, to_json};

pub(super) async fn call(store: &dyn MemoryStore, operation: &str, arguments: &Arguments) -> Answer {
    match operation {
        "add_memory" => {
            drop(store.add(&arguments.user(), &arguments.session_or_default(), objects(arguments)?).await?)
        }
        "search_memory" => return search(store, arguments).await,
        "list_memory" => return list(store, arguments).await,
        "delete_memory" => match arguments.maybe_session() {
            Some(session) => drop(store.delete_session(&arguments.user(), &session).await?),
            None => drop(store.delete_user(&arguments.user()).await?),
        },
        "delete_user_memory" => drop(store.delete_user(&arguments.user()).await?),
        "clear_all_memory" => return Err(Fault::no_such_operation(operation)),
        other => panic!("an unknown operation: {other}"),
    }
    Ok(Json::Null)
}

/// A list that contains only messages.
fn objects(arguments: &Arguments) -> Result<Vec<Message>, Fault> {
    let items = arguments.get("messages").and_then(Json::as_array).ok_or_else(Fault::wrong_type)?;
    // A plain dictionary is not a message; full messages have all members.
    let is_object = |json: &Json| json.get("$message").is_some() || json.get("object").is_some();
    if !items.iter().all(is_object) {
        return Err(Fault::wrong_type());
    }
    items.iter().map(|json| arguments.message(json)).collect()
}

/// The caller chooses the query; in upstream, it is the first text of the last message.
async fn search(store: &dyn MemoryStore, arguments: &Arguments) -> Answer {
    let messages =
        if let Some(Json::Array(_)) = arguments.get("messages") { objects(arguments)? } else { vec![] };
    let last = messages.last().filter(|message| message.kind == MessageType::Message);
    let mut query = MemoryQuery::new(last.and_then(Message::text_content).unwrap_or_default());
    query.top_k = number(arguments, "top_k", MAX_PAGE)?;
    let mut found = store.search(&arguments.user(), &query).await?;
    // Upstream returns them in the order in which they were added.
    found.sort_by_key(|recalled| recalled.memory.number);
    Ok(found.iter().map(|recalled| to_json(&recalled.memory.message)).collect::<Vec<_>>().into())
}

/// The caller has to number pages, and to order them by session.
async fn list(store: &dyn MemoryStore, arguments: &Arguments) -> Answer {
    let page_number = match filter(arguments, "page_num") {
        Some(number) => number.as_i64().ok_or_else(Fault::wrong_type)?,
        None => 1,
    };
    let size = PageSize::new(number(arguments, "page_size", 10)?)?;
    let (mut memories, mut after) = (Vec::<Memory>::new(), None);
    loop {
        let page = store.list(&arguments.user(), None, after, size).await?;
        memories.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    memories.sort_by(|a, b| a.session_id.as_str().cmp(b.session_id.as_str()).then(a.number.cmp(&b.number)));
    let pages: Vec<&[Memory]> = memories.chunks(size.get()).collect();
    let index = page_number.checked_sub(1).and_then(|index| usize::try_from(index).ok());
    let page = index.and_then(|index| pages.get(index)).copied().unwrap_or_default();
    Ok(page.iter().map(|memory| to_json(&memory.message)).collect::<Vec<_>>().into())
}

fn filter<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a Json> {
    arguments.get("filters")?.get(name).filter(|value| !value.is_null())
}

fn number(arguments: &Arguments, name: &str, default: usize) -> Result<usize, Fault> {
    let Some(number) = filter(arguments, name) else { return Ok(default) };
    number.as_i64().and_then(|number| usize::try_from(number).ok()).ok_or_else(Fault::wrong_type)
}
