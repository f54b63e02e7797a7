//! Deleted data leaves no rows behind, so that a file does not grow with users who came only once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{AgentRequest, IdempotencyKey, Json, Message, SessionId, Status, UserId};
use agent_services::clock::SystemIds;
use agent_services::memory::MemoryStore;
use agent_services::run::{
    Batch, Created, FinishRun, NewRun, OwnerId, Retention, RunRecord, RunStore, fresh_id,
};
use agent_services::session::{MessageBatch, SessionStore};
use agent_services::sqlite::{
    SqliteDatabase, SqliteMemoryStore, SqliteRunStore, SqliteSessionStore, SqliteStateStore,
};
use agent_services::state::StateStore;
use agent_services::{Service, StoreContext};
use rusqlite::Connection;

use super::{database, folder};

/// Nothing is kept longer than necessary.
const NOTHING: Retention = Retention { age: Duration::ZERO, bytes: 1 << 30 };

async fn stores(database: &SqliteDatabase) -> (SqliteRunStore, SqliteSessionStore) {
    let runs = SqliteRunStore::new(database.clone(), StoreContext::default()).with_retention(NOTHING);
    let sessions = SqliteSessionStore::new(database.clone(), StoreContext::default()).with_retention(NOTHING);
    runs.start().await.expect("started");
    sessions.start().await.expect("started");
    (runs, sessions)
}

/// A run of a user in an anonymous session, from its beginning to its end.
async fn anonymous_run(runs: &SqliteRunStore, name: &str) {
    let (user, session) = (UserId::new(name), SessionId::new(name));
    let request = Arc::new(AgentRequest::new(vec![Message::user("hi")]));
    let id = fresh_id(&SystemIds, &user);
    let record = RunRecord::new(id.clone(), user, session, "agent", 7, request);
    let run = NewRun::new(record, Batch::empty(0), OwnerId::new("me"));
    let created = runs.create(run.with_key(Some(IdempotencyKey::new("k", "f")))).await.expect("created");
    let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
    let history = MessageBatch {
        is_anonymous: true,
        key: Some("k".to_owned()),
        ..MessageBatch::of(&[Message::user("hi"), Message::user("ho")]).expect("JSON")
    };
    let end = FinishRun::new(id, token, Batch::empty(0), Status::Completed).with_history(Some(history));
    runs.finish(end).await.expect("finished");
}

/// The number of rows of everything that a user may have, and of users.
fn rows(folder: &Path) -> i64 {
    let connection = Connection::open(database(folder).file()).expect("opened");
    let tables = [
        "users",
        "sessions",
        "messages",
        "batches",
        "runs",
        "run_requests",
        "run_batches",
        "run_keys",
        "states",
        "memories",
        "postings",
    ];
    let count = |table| {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).expect("a number")
    };
    tables.into_iter().map(count).sum()
}

#[tokio::test]
async fn sweep__of_anonymous_runs_and_sessions__leaves_no_row() {
    let folder = folder();
    let (runs, sessions) = stores(&database(folder.path())).await;
    for number in 0..150 {
        anonymous_run(&runs, &number.to_string()).await;
    }
    assert!(rows(folder.path()) >= 150 * 6);
    assert_eq!(runs.sweep().await.expect("swept"), 150);
    assert_eq!(sessions.sweep().await.expect("swept").len(), 150);
    assert_eq!(rows(folder.path()), 0);
    let total = Connection::open(database(folder.path()).file()).expect("opened");
    let total = total.query_row("SELECT anonymous_bytes FROM session_totals", [], |row| row.get::<_, i64>(0));
    assert_eq!(total, Ok(0), "deleted data is not counted");
}

#[tokio::test]
async fn delete_user__in_every_store__leaves_no_row_and_no_number_twice() {
    let folder = folder();
    let database = database(folder.path());
    let (runs, sessions) = stores(&database).await;
    let states = SqliteStateStore::new(database.clone(), StoreContext::default());
    let memories = SqliteMemoryStore::new(database.clone(), StoreContext::default());
    states.start().await.expect("started");
    memories.start().await.expect("started");
    let (user, session) = (UserId::new("u"), SessionId::new("s"));
    let mut last = (0, 0);
    for _ in 0..2 {
        anonymous_run(&runs, "u").await;
        states.save(&user, &session, None, &Json::Null).await.expect("saved");
        let number = memories.add(&user, &session, vec![Message::user("tea")]).await.expect("added")[0];
        let info = sessions.create(&user, Some(&session)).await.expect("created");
        assert!(info.number > last.0 && number > last.1, "{info:?} {number}");
        last = (info.number, number);
        assert_eq!(runs.delete_user(&user).await.expect("deleted"), 1);
        assert_eq!(sessions.delete_user(&user).await.expect("deleted"), 2);
        assert_eq!(states.delete_user(&user).await.expect("deleted"), 1);
        assert_eq!(memories.delete_user(&user).await.expect("deleted"), 1);
        assert_eq!(rows(folder.path()), 0);
    }
}
