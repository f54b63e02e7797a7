//! Dropped futures: their work is done completely or not at all.

use std::sync::Arc;

use agent_services::Service;
use agent_services::session::{MessageBatch, SessionStore};
use tokio::task::{JoinSet, yield_now};

use super::{batch, database, folder, s, sessions, started, texts, u};

/// Three texts that identify their batch.
fn three_texts(number: usize) -> [String; 3] {
    [0, 1, 2].map(|part| format!("{number} {part}"))
}

fn three(number: usize) -> MessageBatch {
    let texts = three_texts(number);
    MessageBatch { key: Some(number.to_string()), ..batch(&texts.each_ref().map(String::as_str)) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn append__dropped__is_all_or_nothing() {
    const BATCHES: usize = 300;
    let folder = folder();
    let store = Arc::new(started(folder.path()).await);
    let mut tasks = JoinSet::new();
    for number in 0..BATCHES {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let (u, s) = (u(), s());
            // Each is dropped at a different point, some not at all.
            let patience = async {
                for _ in 0..number * number % 97 {
                    yield_now().await;
                }
            };
            tokio::select! {
                biased;
                appended = store.append(&u, &s, three(number)) => Some(appended.expect("appended")),
                () = patience => None,
            }
        });
    }
    let answers = tasks.join_all().await;
    let acknowledged = answers.iter().flatten().count();
    store.stop().await.expect("stopped");
    store.start().await.expect("started");
    let found = texts(&store).await;
    let mut batches: Vec<usize> = Vec::new();
    for parts in found.chunks(3) {
        let number = parts[0].split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
        assert_eq!(parts, three_texts(number), "no batch is incomplete");
        batches.push(number);
    }
    assert!(batches.len() >= acknowledged, "{} of {acknowledged}", batches.len());
    // Repeating all of them with their keys completes the session, whatever happened before.
    for number in 0..BATCHES {
        let count = store.append(&u(), &s(), three(number)).await.expect("repeated").count;
        assert_eq!(count, if batches.contains(&number) { 0 } else { 3 }, "batch {number}");
    }
    assert_eq!(texts(&store).await.len(), 3 * BATCHES);
}

#[tokio::test]
async fn stop__dropped__still_completes() {
    let folder = folder();
    let store = started(folder.path()).await;
    super::append(&store, "a").await;
    begin(store.stop()).await;
    let error = store.health().await.expect_err("it is stopped");
    assert_eq!(error.kind(), agent_services::ErrorKind::Unavailable);
    // The folder becomes free at some time, although nobody waits for the stop.
    let other = sessions(database(folder.path()));
    while other.start().await.is_err() {
        yield_now().await;
    }
    assert_eq!(texts(&other).await, ["a"]);
}

#[tokio::test]
async fn start__dropped__can_be_repeated() {
    let folder = folder();
    let store = sessions(database(folder.path()));
    for _ in 0..20 {
        begin(store.start()).await;
    }
    store.start().await.expect("started");
    super::append(&store, "a").await;
    store.stop().await.expect("stopped");
    started(folder.path()).await;
}

/// Polls a future once and drops it, most probably before its end.
async fn begin<T>(future: impl Future<Output = T>) {
    tokio::select! {
        biased;
        _ = future => {}
        () = std::future::ready(()) => {}
    }
}
