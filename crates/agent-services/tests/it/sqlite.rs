//! The backends in SQLite.

mod backup;
mod cancelled;
mod damage;
mod file;
mod forgetting;
mod full;
mod migration;
mod model;
mod runs;
mod shared;
mod unreadable;

use std::path::Path;
use std::sync::Arc;

use agent_schemas::{IdSource, Message, SessionId, UserId};
use agent_services::clock::SystemIds;
use agent_services::page::PageSize;
use agent_services::session::{MessageBatch, SessionStore};
use agent_services::sqlite::{SqliteDatabase, SqliteOptions, SqliteSessionStore};
use agent_services::{Error, ErrorKind, Service, StoreContext};
use tempfile::TempDir;

mod conformance {
    //! The suites that every backend passes.

    mod memories {
        use agent_services::sqlite::SqliteMemoryStore;

        agent_services::memory_store_conformance!(async { crate::sqlite::fresh(SqliteMemoryStore::new) });
    }

    mod runs {
        use agent_services::sqlite::SqliteRunStore;

        agent_services::run_store_conformance!(
            async { crate::sqlite::fresh(SqliteRunStore::new) },
            |retention| async move { crate::sqlite::fresh(SqliteRunStore::new).with_retention(retention) }
        );
    }

    mod run_history {
        use std::sync::Arc;

        use agent_services::StoreContext;
        use agent_services::sqlite::{SqliteDatabase, SqliteRunStore, SqliteSessionStore};

        agent_services::run_history_conformance!(async {
            let both = |database: SqliteDatabase, context: StoreContext| {
                let runs = SqliteRunStore::new(database.clone(), context.clone());
                (Arc::new(runs) as _, Arc::new(SqliteSessionStore::new(database, context)) as _)
            };
            crate::sqlite::fresh(both)
        });
    }

    mod sessions {
        use agent_services::sqlite::SqliteSessionStore;

        agent_services::session_store_conformance!(
            async { crate::sqlite::fresh(SqliteSessionStore::new) },
            |retention| async move { crate::sqlite::fresh(SqliteSessionStore::new).with_retention(retention) }
        );
    }

    mod states {
        use agent_services::sqlite::SqliteStateStore;

        agent_services::state_store_conformance!(async { crate::sqlite::fresh(SqliteStateStore::new) });
    }
}

/// A store with its own folder, which is deleted with it.
fn fresh<S>(new: impl FnOnce(SqliteDatabase, StoreContext) -> S) -> S {
    let folder = folder();
    let mut context = StoreContext::default();
    let database = database(folder.path());
    context.ids = Arc::new(Ids { _folder: folder });
    new(database, context)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn database(folder: &Path) -> SqliteDatabase {
    SqliteDatabase::new(folder, SqliteOptions::default())
}

fn sessions(database: SqliteDatabase) -> SqliteSessionStore {
    SqliteSessionStore::new(database, StoreContext::default())
}

/// A started store with the database of a folder.
async fn started(folder: &Path) -> SqliteSessionStore {
    let store = sessions(database(folder));
    store.start().await.expect("started");
    store
}

fn u() -> UserId {
    UserId::new("u")
}

fn s() -> SessionId {
    SessionId::new("s")
}

fn batch(texts: &[&str]) -> MessageBatch {
    MessageBatch::of(&texts.iter().map(|text| Message::user(*text)).collect::<Vec<_>>()).expect("JSON")
}

async fn append(store: &SqliteSessionStore, text: &str) {
    store.append(&u(), &s(), batch(&[text])).await.expect("appended");
}

/// The texts of the last messages.
async fn texts(store: &SqliteSessionStore) -> Vec<String> {
    let size = PageSize::new(1000).expect("a size");
    let messages = store.last_messages(&u(), &s(), size).await.expect("readable").unwrap_or_default();
    messages.iter().map(|stored| stored.message.full_text()).collect()
}

/// Checks an error: its kind, and words in its message.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, words: &[&str]) {
    let error = result.expect_err("an error");
    let sentence = error.to_string();
    assert_eq!(error.kind(), kind, "{sentence}");
    for word in words {
        assert!(sentence.contains(word), "'{word}' in: {sentence}");
    }
}

/// Ids for a store, which keeps them as long as it lives.
#[derive(Debug)]
struct Ids {
    _folder: TempDir,
}

impl IdSource for Ids {
    fn uuid(&self) -> String {
        SystemIds.uuid()
    }

    fn random(&self) -> String {
        SystemIds.random()
    }
}
