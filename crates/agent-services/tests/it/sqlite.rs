//! The backends in SQLite.

use std::path::Path;
use std::sync::Arc;

use agent_schemas::IdSource;
use agent_services::StoreContext;
use agent_services::clock::SystemIds;
use agent_services::sqlite::{SqliteDatabase, SqliteOptions};
use tempfile::TempDir;

mod conformance {
    //! The suites that every backend passes.

    mod memories {
        use agent_services::sqlite::SqliteMemoryStore;

        agent_services::memory_store_conformance!(async { crate::sqlite::fresh(SqliteMemoryStore::new) });
    }

    mod sessions {
        use agent_services::sqlite::SqliteSessionStore;

        agent_services::session_store_conformance!(async { crate::sqlite::fresh(SqliteSessionStore::new) });
    }

    mod states {
        use agent_services::sqlite::SqliteStateStore;

        agent_services::state_store_conformance!(async { crate::sqlite::fresh(SqliteStateStore::new) });
    }
}

/// A store over a folder of its own, which goes with it.
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

/// Ids for a store, as it keeps them for as long as it lives.
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
