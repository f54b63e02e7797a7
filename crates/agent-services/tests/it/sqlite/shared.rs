//! Three stores of one database start and stop independently.

use std::sync::Arc;

use agent_schemas::{Json, Message};
use agent_services::memory::MemoryStore;
use agent_services::session::SessionStore;
use agent_services::sqlite::{SqliteMemoryStore, SqliteStateStore};
use agent_services::state::StateStore;
use agent_services::{ErrorKind, Service, StoreContext};
use tokio::task::JoinSet;

use super::{append, batch, database, folder, refused, s, sessions, started, texts, u};

#[tokio::test]
async fn stores__of_one_database__start_and_stop_independently() {
    let folder = folder();
    let database = database(folder.path());
    let sessions = sessions(database.clone());
    let states = SqliteStateStore::new(database.clone(), StoreContext::default());
    let memories = SqliteMemoryStore::new(database, StoreContext::default());
    sessions.start().await.expect("started");
    states.start().await.expect("started");
    append(&sessions, "a").await;
    refused(memories.delete_user(&u()).await, ErrorKind::Unavailable, &["not started"]);
    sessions.stop().await.expect("stopped");
    refused(sessions.get(&u(), &s()).await, ErrorKind::Unavailable, &["not started"]);
    states.save(&u(), &s(), None, &Json::Null).await.expect("the others continue");
    memories.start().await.expect("started");
    states.stop().await.expect("stopped");
    memories.add(&u(), &s(), vec![Message::user("a")]).await.expect("added");
    sessions.start().await.expect("started");
    assert_eq!(texts(&sessions).await, ["a"]);
    assert_eq!(sessions.delete_user(&u()).await.expect("deleted"), 1);
    assert_eq!(memories.delete_user(&u()).await.expect("deleted"), 1, "each store has its own");
    memories.stop().await.expect("stopped");
    sessions.stop().await.expect("stopped");
    started(folder.path()).await;
}

/// Concurrent starts, stops and writes of several stores end properly, and acknowledged data is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stores__concurrent_starts_and_stops__lose_nothing() {
    let folder = folder();
    let database = database(folder.path());
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let store = Arc::new(sessions(database.clone()));
        for worker in 0..3 {
            let store = Arc::clone(&store);
            tasks.spawn(async move {
                let mut acknowledged = 0;
                for _ in 0..20 {
                    if worker == 2 {
                        store.stop().await.expect("stopped");
                    } else {
                        store.start().await.expect("started");
                    }
                    match store.append(&u(), &s(), batch(&["a"])).await {
                        Ok(_) => acknowledged += 1,
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
                    }
                }
                store.stop().await.expect("stopped");
                acknowledged
            });
        }
    }
    let acknowledged: u64 = tasks.join_all().await.into_iter().sum();
    let store = sessions(database);
    store.start().await.expect("started");
    let info = store.get(&u(), &s()).await.expect("readable").expect("there");
    assert_eq!(info.message_count, acknowledged);
}
