//! New stores of every backend.

use std::sync::Arc;

use agent_services::memory::{InMemoryMemoryStore, MemoryStore};
use agent_services::session::{InMemorySessionStore, SessionStore};
use agent_services::state::{InMemoryStateStore, StateStore};
use agent_services::{Service, StoreContext};

use super::case::{Case, Kind};

/// Where the stores keep their data.
#[derive(Clone, Copy)]
pub(super) enum Backend {
    InMemory,
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "redis")]
    Redis,
}

/// The store that a case is about.
#[derive(Clone)]
pub(super) enum Store {
    Sessions(Arc<dyn SessionStore>),
    States(Arc<dyn StateStore>),
    Memories(Arc<dyn MemoryStore>),
}

impl Store {
    pub(super) fn service(&self) -> &dyn Service {
        match self {
            Store::Sessions(store) => &**store,
            Store::States(store) => &**store,
            Store::Memories(store) => &**store,
        }
    }
}

impl Backend {
    /// Its name in the list of differences.
    pub(super) fn name(self) -> &'static str {
        match self {
            Backend::InMemory => "in_memory",
            #[cfg(feature = "sqlite")]
            Backend::Sqlite => "sqlite",
            #[cfg(feature = "redis")]
            Backend::Redis => "redis",
        }
    }

    /// An empty store, and resources that must live as long.
    pub(super) async fn store(self, case: &Case, context: StoreContext) -> (Store, Box<dyn Send>) {
        match self {
            Backend::InMemory => (in_memory(case, context), Box::new(())),
            #[cfg(feature = "sqlite")]
            Backend::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder");
                (sqlite(case, folder.path(), context), Box::new(folder))
            }
            #[cfg(feature = "redis")]
            Backend::Redis => (redis(case, crate::redis::shared_client().await, context), Box::new(())),
        }
    }
}

fn in_memory(case: &Case, context: StoreContext) -> Store {
    match case.kind {
        Kind::Sessions => Store::Sessions(Arc::new(InMemorySessionStore::new(context))),
        Kind::States => Store::States(Arc::new(InMemoryStateStore::new(context))),
        Kind::Memories => Store::Memories(Arc::new(InMemoryMemoryStore::new(context))),
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(case: &Case, folder: &std::path::Path, context: StoreContext) -> Store {
    use agent_services::sqlite::{
        SqliteDatabase, SqliteMemoryStore, SqliteOptions, SqliteSessionStore, SqliteStateStore,
    };

    let database = SqliteDatabase::new(folder, SqliteOptions::default());
    match case.kind {
        Kind::Sessions => Store::Sessions(Arc::new(SqliteSessionStore::new(database, context))),
        Kind::States => Store::States(Arc::new(SqliteStateStore::new(database, context))),
        Kind::Memories => Store::Memories(Arc::new(SqliteMemoryStore::new(database, context))),
    }
}

#[cfg(feature = "redis")]
fn redis(case: &Case, client: agent_services::redis::RedisClient, context: StoreContext) -> Store {
    use agent_services::redis::{RedisMemoryStore, RedisSessionStore, RedisStateStore};

    macro_rules! store {
        ($store:ty) => {{
            let store = <$store>::new(client, context);
            Arc::new(match case.ttl {
                Some(ttl) => store.with_ttl(ttl),
                None => store,
            })
        }};
    }
    match case.kind {
        Kind::Sessions => Store::Sessions(store!(RedisSessionStore)),
        Kind::States => Store::States(store!(RedisStateStore)),
        Kind::Memories => Store::Memories(store!(RedisMemoryStore)),
    }
}
