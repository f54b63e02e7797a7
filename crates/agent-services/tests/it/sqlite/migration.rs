//! Databases of older schemas are migrated, even after an interruption.

use std::fs;
use std::path::Path;

use agent_services::Service;
use agent_services::StoreContext;
use agent_services::sqlite::{SqliteMemoryStore, SqliteRunStore, SqliteSessionStore, SqliteStateStore};
use rusqlite::Connection;

use super::{database, folder};
use crate::old_layout::{self, OldStores};

/// A database as written by the stores of schema 3, with the same journal mode.
fn schema_3(folder: &Path) -> Connection {
    let connection = Connection::open(database(folder).file()).expect("a new file");
    connection.execute_batch(include_str!("schema_3.sql")).expect("the statements of a dump");
    let identity = "PRAGMA user_version = 3; PRAGMA application_id = 0x61676e74; PRAGMA journal_mode = wal";
    connection.execute_batch(identity).expect("set");
    connection
}

async fn check(folder: &Path) {
    let (database, context) = (database(folder), StoreContext::default);
    let sessions = SqliteSessionStore::new(database.clone(), context());
    let states = SqliteStateStore::new(database.clone(), context());
    let memories = SqliteMemoryStore::new(database.clone(), context());
    let runs = SqliteRunStore::new(database.clone(), context()).with_retention(old_layout::FOR_EVER);
    let stores: [&dyn Service; 4] = [&sessions, &states, &memories, &runs];
    for store in stores {
        store.start().await.expect("started");
    }
    let old = OldStores { sessions: &sessions, states: &states, memories: &memories, runs: &runs };
    old_layout::check(&old).await;
    for store in stores {
        store.stop().await.expect("stopped");
    }
    let connection = Connection::open(database.file()).expect("opened");
    let sql = "SELECT count(*), count(DISTINCT id), min(CAST(tenant AS TEXT)), max(CAST(tenant AS TEXT)) FROM users";
    let users: (i64, i64, String, String) = connection
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .expect("users");
    assert_eq!(users, (4, 4, "default".to_owned(), "default".to_owned()));
}

#[tokio::test]
async fn schema_3__first_start__is_brought_up_to_date() {
    let folder = folder();
    drop(schema_3(folder.path()));
    check(folder.path()).await;
}

/// The files of a process that is killed in the middle of the migration, some pages of which are already in the log.
#[tokio::test]
async fn schema_3__killed_in_the_migration__is_brought_up_to_date() {
    let (before, killed) = (folder(), folder());
    let connection = schema_3(before.path());
    let migration = include_str!("../../../src/sqlite/migrations/4.sql");
    let statements: Vec<&str> = migration.split_inclusive(';').collect();
    for done in 0..statements.len() {
        // Without a cache, every page is written at once.
        connection.execute_batch("PRAGMA cache_size = 0; BEGIN").expect("begun");
        connection.execute_batch(&statements[..done].concat()).expect("a part of the migration");
        for file in fs::read_dir(before.path()).expect("a folder") {
            let file = file.expect("a file");
            fs::copy(file.path(), killed.path().join(file.file_name())).expect("copied");
        }
        connection.execute_batch("ROLLBACK").expect("as before");
        check(killed.path()).await;
        for file in fs::read_dir(killed.path()).expect("a folder") {
            fs::remove_file(file.expect("a file").path()).expect("removed");
        }
    }
}
