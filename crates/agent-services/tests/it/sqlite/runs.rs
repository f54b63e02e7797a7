//! Runs in a file: promises in addition to the contract.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{AgentRequest, RunId, SessionId, Status, UserId, sse};
use agent_services::ErrorKind::{InvalidInput, Unexpected};
use agent_services::clock::ManualClock;
use agent_services::page::PageSize;
use agent_services::run::{
    Batch, Created, FencingToken, FinishRun, NewRun, OwnerId, Retention, RunRecord, RunStore,
};
use agent_services::session::SessionStore;
use agent_services::sqlite::{SqliteDatabase, SqliteRunStore};
use agent_services::{Service, StoreContext};
use rusqlite::Connection;

use super::{append, database, folder, refused, s, sessions, texts, u};

fn store(database: SqliteDatabase) -> SqliteRunStore {
    SqliteRunStore::new(database, StoreContext::default())
}

async fn started(folder: &Path) -> SqliteRunStore {
    let store = store(database(folder));
    store.start().await.expect("started");
    store
}

fn me() -> OwnerId {
    OwnerId::new("me")
}

fn batch(first: u64) -> Batch {
    let mut frames = Vec::new();
    sse::start_frame(&mut frames, first);
    frames.extend_from_slice(b"{}");
    sse::end_frame(&mut frames);
    Batch { first, count: 1, frames: frames.into() }
}

/// Starts a run in its own session.
async fn start(store: &SqliteRunStore, id: &str) -> (RunId, FencingToken) {
    start_kept(store, id, 0).await
}

async fn start_kept(store: &SqliteRunStore, id: &str, kept_for: u64) -> (RunId, FencingToken) {
    let (run, session) = (RunId::new(id), SessionId::new(id));
    let request = Arc::new(AgentRequest::new(Vec::new()));
    let mut record = RunRecord::new(run.clone(), UserId::new("u"), session, "agent", 7, request);
    record.options.response_ttl = Duration::from_secs(kept_for);
    let created = store.create(NewRun::new(record, batch(0), me())).await.expect("created");
    let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
    (run, token)
}

async fn finish(store: &SqliteRunStore, run: (RunId, FencingToken)) {
    finish_at(store, run, 1).await;
}

async fn finish_at(store: &SqliteRunStore, (id, token): (RunId, FencingToken), last: u64) {
    store.finish(FinishRun::new(id, token, batch(last), Status::Completed)).await.expect("finished");
}

async fn orphans(store: &SqliteRunStore) -> Vec<RunId> {
    store.orphans(PageSize::default()).await.expect("readable")
}

#[tokio::test]
async fn leases__restart__are_void() {
    let folder = folder();
    let store = started(folder.path()).await;
    store.heartbeat(&me(), Duration::from_secs(1 << 40)).await.expect("it lives");
    let (run, token) = start(&store, "run").await;
    let other = sessions(database(folder.path()));
    assert!(other.start().await.is_err(), "a store that does not get the folder invalidates nothing");
    assert_eq!(orphans(&store).await, []);
    store.stop().await.expect("stopped");
    store.start().await.expect("started");
    assert_eq!(orphans(&store).await, std::slice::from_ref(&run));
    let next = OwnerId::new("next");
    store.heartbeat(&next, Duration::from_secs(1 << 40)).await.expect("it lives");
    let taken = store.take_over(&run, &next).await.expect("taken");
    assert!(taken > Some(token));
}

#[tokio::test]
async fn leases__second_store__stay_valid() {
    let folder = folder();
    let database = database(folder.path());
    let (one, two) = (store(database.clone()), store(database));
    one.start().await.expect("started");
    one.heartbeat(&me(), Duration::from_secs(1 << 40)).await.expect("it lives");
    let (run, token) = start(&one, "run").await;
    two.start().await.expect("started");
    assert_eq!(orphans(&two).await, []);
    let (waited, written) = tokio::join!(one.wait(&run, 1), two.append(&run, token, batch(1)));
    assert!(waited.is_ok() && written.is_ok());
    let me = me();
    let (signals, canceled) = tokio::join!(one.signals(&me), two.cancel(&run, Batch::empty(0)));
    assert_eq!(signals.expect("told"), [run]);
    canceled.expect("asked");
}

#[tokio::test]
async fn wait__dropped_write__is_woken() {
    let folder = folder();
    let store = Arc::new(started(folder.path()).await);
    let (run, token) = start(&store, "run").await;
    let mut waiting = Box::pin(store.wait(&run, 1));
    // The first poll reads the database; after that, it waits.
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("there is nothing yet"),
        () = async { for _ in 0..100 { drop(store.get(&run).await) } } => {}
    }
    let mut write = Box::pin(store.append(&run, token, batch(1)));
    let is_done =
        std::future::poll_fn(|context| std::task::Poll::Ready(write.as_mut().poll(context).is_ready()));
    is_done.await;
    drop(write);
    waiting.await.expect("woken");
    assert_eq!(store.get(&run).await.expect("readable").expect("there").entries, 2);
}

#[tokio::test]
async fn reader__beside_owner__neither_writes_nor_waits() {
    let folder = folder();
    let owner = started(folder.path()).await;
    let (run, token) = start(&owner, "run").await;
    let reader = store(SqliteDatabase::read_only(folder.path()));
    reader.start().await.expect("started");
    assert_eq!(reader.get(&run).await.expect("readable"), owner.get(&run).await.expect("readable"));
    reader.wait(&run, 0).await.expect("it is there");
    refused(reader.wait(&run, 1).await, InvalidInput, &["for reading only"]);
    refused(reader.signals(&me()).await, InvalidInput, &["for reading only"]);
    refused(reader.append(&run, token, batch(1)).await, InvalidInput, &["for reading only"]);
    refused(reader.sweep().await, InvalidInput, &["for reading only"]);
}

#[tokio::test]
async fn data__first_version__is_kept() {
    let folder = folder();
    let old = Connection::open(database(folder.path()).file()).expect("made");
    old.execute_batch(include_str!("../../../src/sqlite/migrations/1.sql")).expect("the first version");
    old.execute_batch(&format!("PRAGMA application_id = {}; PRAGMA user_version = 1", 0x6167_6e74))
        .expect("marked");
    old.execute_batch(
        r#"INSERT INTO users (key, id, last_session) VALUES (3, x'75', 5);
        INSERT INTO sessions VALUES (4, 3, x'73', 5, NULL, '{}', 1, 60, 1, 1);
        INSERT INTO messages VALUES (4, 0, NULL, '{"role":"user","content":[{"type":"text","text":"a"}]}')"#,
    )
    .expect("written");
    drop(old);
    let database = database(folder.path());
    let (sessions, runs) = (sessions(database.clone()), store(database));
    sessions.start().await.expect("migrated");
    runs.start().await.expect("started");
    append(&sessions, "b").await;
    assert_eq!(texts(&sessions).await, ["a", "b"]);
    assert_eq!(sessions.get(&u(), &s()).await.expect("readable").expect("there").number, 5);
    let (run, _) = start(&runs, "run").await;
    assert_eq!(runs.get(&run).await.expect("readable").expect("there").number, 1);
}

#[tokio::test]
async fn sweep__many_runs__proceeds_in_steps_oldest_first() {
    let folder = folder();
    let clock = Arc::new(ManualClock::at(1000));
    let context = StoreContext::default().with_clock(Arc::clone(&clock) as _);
    let retention = Retention { age: Duration::from_secs(60), bytes: 20 << 10 };
    let store = SqliteRunStore::new(database(folder.path()), context).with_retention(retention);
    store.start().await.expect("started");
    let mut runs = Vec::new();
    for number in 0..250 {
        runs.push(start(&store, &number.to_string()).await);
    }
    // The last one ends first, so it is the oldest.
    let ids: Vec<RunId> = runs.iter().map(|(id, _)| id.clone()).collect();
    for run in runs.into_iter().rev() {
        finish(&store, run).await;
    }
    let unfinished = start(&store, "unfinished").await.0;
    // Each takes a little more than 1 KiB, so 19 of them are less than 20 KiB.
    assert_eq!(store.sweep().await.expect("swept"), 231);
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(store.get(id).await.expect("readable").is_some(), number < 19, "{number}");
    }
    assert!(store.delete(&ids[0]).await.expect("deleted"));
    clock.advance(59);
    assert_eq!(store.sweep().await.expect("swept"), 0);
    clock.advance(1);
    assert_eq!(store.sweep().await.expect("swept"), 18);
    assert!(store.get(&unfinished).await.expect("readable").is_some());
    store.stop().await.expect("stopped");
    let file = Connection::open(database(folder.path()).file()).expect("opened");
    let left = "SELECT (SELECT bytes FROM run_totals), (SELECT count(*) FROM run_batches), \
                (SELECT count(*) FROM run_requests)";
    let left: (i64, i64, i64) =
        file.query_row(left, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("one row");
    assert_eq!(left, (0, 0, 1), "the entry of the unfinished one is stored with its request");
}

#[tokio::test]
async fn trimmed_run__response_ttl_over__is_deleted() {
    let folder = folder();
    let clock = Arc::new(ManualClock::at(1000));
    let context = StoreContext::default().with_clock(Arc::clone(&clock) as _);
    let retention = Retention { age: Duration::from_secs(60), bytes: 1 << 20 };
    let store = SqliteRunStore::new(database(folder.path()), context).with_retention(retention);
    store.start().await.expect("started");
    let mut ids = Vec::new();
    for kept_for in [0, 30, 100, 90, u64::MAX] {
        let run = start_kept(&store, &kept_for.to_string(), kept_for).await;
        ids.push(run.0.clone());
        finish(&store, run).await;
    }
    // The number of kept entries of each kept run.
    let kept = async || {
        let mut kept = Vec::new();
        for id in &ids {
            let record = store.get(id).await.expect("readable");
            kept.push(record.map_or(0, |record| record.entries - record.first_entry));
        }
        kept
    };
    clock.advance(59);
    assert_eq!(store.sweep().await.expect("swept"), 0);
    assert_eq!(kept().await, [2; 5]);
    clock.advance(1);
    assert_eq!(store.sweep().await.expect("swept"), 2);
    assert_eq!(kept().await, [0, 0, 1, 1, 1]);
    clock.advance(30);
    assert_eq!(store.sweep().await.expect("swept"), 1);
    assert_eq!(kept().await, [0, 0, 1, 0, 1]);
    clock.advance(10);
    assert_eq!(store.sweep().await.expect("swept"), 1);
    assert!(store.delete(&ids[4]).await.expect("deleted"));
    store.stop().await.expect("stopped");
    let file = Connection::open(database(folder.path()).file()).expect("opened");
    let left = "SELECT bytes, trimmed_bytes, (SELECT count(*) FROM run_batches) FROM run_totals";
    let left: (i64, i64, i64) =
        file.query_row(left, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("one row");
    assert_eq!(left, (0, 0, 0));
}

#[tokio::test]
async fn log__compressed__round_trips_and_detects_damage() {
    let folder = folder();
    let store = started(folder.path()).await;
    let (run, token) = start(&store, "run").await;
    let batches: Vec<Batch> = (1..1000).map(batch).collect();
    let log = Batch::concat(&batches);
    store.append(&run, token, log.clone()).await.expect("appended");
    store.append(&run, token, log.clone()).await.expect("the same is acknowledged");
    let page = store.read(&run, 1, usize::MAX).await.expect("readable").expect("kept");
    assert_eq!(page.batches, std::slice::from_ref(&log));
    let page = store.read(&run, 990, 1).await.expect("readable").expect("kept");
    assert_eq!(page.batches, [log.starting_at(990).expect("entries")]);
    finish_at(&store, (run.clone(), token), 1000).await;
    store.stop().await.expect("stopped");
    let file = Connection::open(database(folder.path()).file()).expect("opened");
    let bytes = "SELECT sum(length(frames)) FROM run_batches";
    let bytes: usize = file.query_row(bytes, [], |row| row.get(0)).expect("one row");
    assert!(bytes < log.frames.len() / 2, "{bytes} of {}", log.frames.len());
    for damage in [
        "unpacked_bytes = unpacked_bytes - 1",
        "unpacked_bytes = 100, frames = x'f0'",
        "unpacked_bytes = 1 << 60",
    ] {
        file.execute(&format!("UPDATE run_batches SET {damage} WHERE first = 1"), []).expect("damaged");
        store.start().await.expect("started");
        refused(store.read(&run, 1, 1).await, Unexpected, &["damaged"]);
        store.stop().await.expect("stopped");
    }
}

#[test]
fn run_store__random_calls__agree_with_memory() {
    crate::run_model::agrees_with_memory(|retention| async move {
        let folder = folder();
        let store = store(database(folder.path())).with_retention(retention);
        (Arc::new(store) as Arc<dyn RunStore>, folder)
    });
}
