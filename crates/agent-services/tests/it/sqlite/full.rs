//! A full database reports that, loses nothing, and works again once there is space.

use std::sync::Arc;

use agent_services::ErrorKind::Unavailable;
use agent_services::session::SessionStore;
use agent_services::sqlite::{SqliteDatabase, SqliteOptions};
use agent_services::{Service, WriteFault};

use super::{append, batch, folder, refused, s, sessions, texts, u};

fn small() -> SqliteOptions {
    let mut options = SqliteOptions::default();
    options.max_bytes = Some(256 * 1024);
    options
}

#[tokio::test]
async fn full_database__loses_nothing_and_recovers() {
    let folder = folder();
    let store = sessions(SqliteDatabase::new(folder.path(), small()));
    store.start().await.expect("started");
    let mut stored = Vec::new();
    let error = loop {
        let text = format!("{} {}", stored.len(), "x".repeat(5000));
        match store.append(&u(), &s(), batch(&[&text])).await {
            Ok(_) => stored.push(text),
            Err(error) => break error,
        }
    };
    refused::<()>(Err(error), Unavailable, &["free disk space", "delete data"]);
    assert!(stored.len() > 10);
    assert_eq!(texts(&store).await, stored);
    let unhealthy = store.health().await.expect_err("it rejects writes");
    assert_eq!(unhealthy.write_fault(), Some(WriteFault::Full), "{unhealthy}");
    refused(
        store.append(&u(), &s(), batch(&[&"x".repeat(100_000)])).await,
        Unavailable,
        &["the disk is full"],
    );
    assert_eq!(texts(&store).await, stored);
    let other = agent_schemas::SessionId::new("other");
    store.delete(&u(), &s()).await.expect("deleting needs no room");
    store.append(&u(), &other, batch(&[&"x".repeat(5000)])).await.expect("there is room again");
    store.health().await.expect("it accepts writes again");
    store.stop().await.expect("stopped");
}

#[tokio::test]
async fn full_database__more_room__works_again() {
    let folder = folder();
    let store = sessions(SqliteDatabase::new(folder.path(), small()));
    store.start().await.expect("started");
    append(&store, "a").await;
    let large = "x".repeat(500_000);
    refused(store.append(&u(), &s(), batch(&[&large])).await, Unavailable, &["free disk space"]);
    store.stop().await.expect("stopped");
    let store = sessions(super::database(folder.path()));
    store.start().await.expect("started");
    append(&store, &large).await;
    assert_eq!(texts(&store).await, ["a".to_owned(), large]);
}

/// Only the write that does not fit is rejected, whatever is committed with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn full_database__small_writes__still_succeed() {
    let folder = folder();
    let store = Arc::new(sessions(SqliteDatabase::new(folder.path(), small())));
    store.start().await.expect("started");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..60 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let is_large = number % 3 == 0;
            let text = if is_large { "x".repeat(500_000) } else { number.to_string() };
            (is_large, store.append(&u(), &s(), batch(&[&text])).await)
        });
    }
    while let Some(task) = tasks.join_next().await {
        let (is_large, result) = task.expect("no panic");
        assert_eq!(result.map_err(|error| error.kind()).err(), is_large.then_some(Unavailable));
    }
    assert_eq!(texts(&store).await.len(), 40);
}
