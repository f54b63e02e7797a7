//! Unreadable rows are shown as far as possible, and make no others unreadable.

use std::sync::Arc;

use agent_schemas::{AgentRequest, Message, RunId, SessionId, Status, UserId, object};
use agent_services::memory::{MemoryQuery, MemoryStore};
use agent_services::page::PageSize;
use agent_services::run::{
    Batch, Canceled, Created, FinishRun, NewRun, OwnerId, RunFilter, RunRecord, RunStore,
};
use agent_services::session::{SessionChange, SessionStore};
use agent_services::sqlite::{SqliteMemoryStore, SqliteRunStore, SqliteSessionStore};
use agent_services::{Service, StoreContext};
use rusqlite::Connection;

use super::{append, database, folder, s, u};

fn me() -> OwnerId {
    OwnerId::new("me")
}

fn last() -> Batch {
    Batch { first: 1, count: 1, frames: b"id: 1\ndata: {}\n\n".to_vec().into() }
}

async fn create(store: &SqliteRunStore, id: &str) -> Created {
    let mut request = AgentRequest::new(vec![Message::user("hello")]);
    request.foreign = Some(object! { "id" => 5 });
    let (id, session) = (RunId::new(id), SessionId::new("s"));
    let record = RunRecord::new(id, UserId::new("u"), session, "agent", 7, Arc::new(request));
    let first = Batch { first: 0, count: 1, frames: b"id: 0\ndata: {}\n\n".to_vec().into() };
    store.create(NewRun::new(record, first, me())).await.expect("created")
}

#[tokio::test]
async fn runs__one_is_damaged__all_are_listed_and_it_can_be_ended_and_deleted() {
    let folder = folder();
    let store = SqliteRunStore::new(database(folder.path()), StoreContext::default());
    store.start().await.expect("started");
    let file = database(folder.path()).file().to_owned();
    let Created::Started(token) = create(&store, "first").await else { panic!("a free session") };
    for id in ["second", "third", "fourth", "fifth"] {
        create(&store, id).await;
    }
    let damage = Connection::open(&file).expect("open");
    for change in [
        // A stored request with a member of another type.
        "UPDATE run_requests SET request = CAST('{\"input\":[],\"id\":5}' AS BLOB), request_bytes = NULL WHERE run = 1",
        "UPDATE run_requests SET request = x'ff', options = x'0009000000ff' WHERE run = 2",
        "DELETE FROM run_requests WHERE run = 3",
        "UPDATE runs SET epochs = 'none', session = x'ff' WHERE key = 4",
    ] {
        assert_eq!(damage.execute(change, []).expect("changed"), 1, "{change}");
    }
    let size = PageSize::new(2).expect("a size");
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&UserId::new("u"), &RunFilter::default(), after, size).await.expect("listed");
        listed.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let shown: Vec<_> = listed.iter().map(|run| (run.id.as_str(), run.damage.is_some())).collect();
    let expected = [("fifth", false), ("fourth", true), ("third", true), ("second", true), ("first", true)];
    assert_eq!(shown, expected);
    assert!(listed[4].damage.as_deref().is_some_and(|damage| damage.starts_with("the request: ")));
    assert_eq!(listed[4].agent, "agent", "the readable parts are there");
    let first = RunId::new("first");
    let end = FinishRun::new(first.clone(), token, last(), Status::Failed).with_next(Some(me()));
    let granted = store.finish(end).await.expect("finished").granted.expect("one waits");
    assert_eq!(granted.id.as_str(), "second");
    assert!(store.delete(&first).await.expect("deleted"));
    let third = RunId::new("third");
    let canceled = store.cancel(&third, last()).await.expect("canceled");
    assert_eq!(canceled, Some(Canceled::Dequeued));
    assert_eq!(store.get(&third).await.expect("readable").expect("there").status, Status::Canceled);
}

#[tokio::test]
async fn conversations__a_message_or_metadata_is_damaged__the_rest_is_read() {
    let folder = folder();
    let database = database(folder.path());
    let sessions = SqliteSessionStore::new(database.clone(), StoreContext::default());
    let memories = SqliteMemoryStore::new(database.clone(), StoreContext::default());
    sessions.start().await.expect("started");
    memories.start().await.expect("started");
    for text in ["one", "two", "three"] {
        append(&sessions, text).await;
        memories.add(&u(), &s(), vec![Message::user(format!("apple {text}"))]).await.expect("added");
    }
    sessions.create(&u(), Some(&SessionId::new("other"))).await.expect("created");
    let damage = Connection::open(database.file()).expect("open");
    for change in [
        "UPDATE messages SET json = '{\"id\":5}' WHERE json LIKE '%two%'",
        "UPDATE sessions SET metadata = 'none' WHERE messages > 0",
        "UPDATE memories SET json = '[]' WHERE json LIKE '%two%'",
    ] {
        assert_eq!(damage.execute(change, []).expect(change), 1, "{change}");
    }
    let size = PageSize::default();
    let read = sessions.messages(&u(), &s(), 0, size).await.expect("readable").expect("there");
    let shown: Vec<_> = read.iter().map(|stored| (stored.position, stored.message.full_text())).collect();
    assert_eq!(shown, [(0, "one".to_owned()), (1, String::new()), (2, "three".to_owned())]);
    assert_eq!(read[1].message.code.as_deref(), Some("MESSAGE_DAMAGED"));
    assert_eq!(sessions.list(&u(), None, size).await.expect("listed").items.len(), 2);
    let change = SessionChange { metadata: Some(object! { "a" => 1 }), ..SessionChange::default() };
    let info = sessions.change(&u(), &s(), change).await.expect("metadata can be replaced");
    assert_eq!(info.metadata, object! { "a" => 1 });
    let listed = memories.list(&u(), None, None, size).await.expect("listed").items;
    assert_eq!(listed.len(), 3);
    assert_eq!(memories.search(&u(), &MemoryQuery::new("apple")).await.expect("found").len(), 3);
    assert!(memories.delete(&u(), listed[1].number).await.expect("deleted"));
    assert!(sessions.delete(&u(), &s()).await.expect("deleted"));
}
