//! The measured stores.

use std::sync::Arc;
use std::time::Duration;

use agent_services::StoreContext;
use agent_services::limits::StoreLimits;
use agent_services::memory::{InMemoryMemoryStore, MemoryStore};
use agent_services::redis::{RedisClient, RedisConfig, RedisMemoryStore, RedisSessionStore, RedisStateStore};
use agent_services::session::{InMemorySessionStore, SessionStore};
use agent_services::sqlite::{
    SqliteDatabase, SqliteMemoryStore, SqliteOptions, SqliteSessionStore, SqliteStateStore,
};
use agent_services::state::{InMemoryStateStore, StateStore};
use agent_tests::redis::RedisServer;
use anyhow::Result;
use tempfile::TempDir;

use super::redis::used_memory;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Backend {
    Memory,
    Sqlite,
    Redis,
}

/// The stores of one backend, and their resources.
#[derive(Debug)]
pub(crate) struct Stores {
    pub(crate) sessions: Arc<dyn SessionStore>,
    pub(crate) states: Arc<dyn StateStore>,
    pub(crate) memories: Arc<dyn MemoryStore>,
    place: Place,
}

/// The location of the items.
#[derive(Debug)]
enum Place {
    Here,
    File(SqliteDatabase),
    Server(RedisServer),
}

impl Backend {
    pub(crate) const ALL: [Backend; 3] = [Backend::Memory, Backend::Sqlite, Backend::Redis];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Backend::Memory => "memory",
            Backend::Sqlite => "sqlite",
            Backend::Redis => "redis",
        }
    }

    /// Empty stores, with their files in a folder.
    pub(crate) fn open(self, folder: &TempDir) -> Result<Stores> {
        // The measurement appends to a session that has its maximum size.
        let mut limits = StoreLimits::default();
        limits.session_messages *= 10;
        limits.session_bytes *= 10;
        let context = StoreContext::default().with_limits(limits);
        Ok(match self {
            Backend::Memory => Stores {
                sessions: Arc::new(InMemorySessionStore::new(context.clone())),
                states: Arc::new(InMemoryStateStore::new(context.clone())),
                memories: Arc::new(InMemoryMemoryStore::new(context)),
                place: Place::Here,
            },
            Backend::Sqlite => {
                let database = SqliteDatabase::new(folder.path(), SqliteOptions::default());
                Stores {
                    sessions: Arc::new(SqliteSessionStore::new(database.clone(), context.clone())),
                    states: Arc::new(SqliteStateStore::new(database.clone(), context.clone())),
                    memories: Arc::new(SqliteMemoryStore::new(database.clone(), context)),
                    place: Place::File(database),
                }
            }
            Backend::Redis => {
                let server = RedisServer::start()?;
                // 64 large searches at once take longer than an application would wait.
                let config = RedisConfig::new(&server.url())?.with_timeouts(Duration::from_secs(5), PATIENCE);
                let client = RedisClient::new(config);
                Stores {
                    sessions: Arc::new(RedisSessionStore::new(client.clone(), context.clone())),
                    states: Arc::new(RedisStateStore::new(client.clone(), context.clone())),
                    memories: Arc::new(RedisMemoryStore::new(client, context)),
                    place: Place::Server(server),
                }
            }
        })
    }
}

const PATIENCE: Duration = Duration::from_secs(120);

impl Stores {
    pub(crate) async fn start(&self) -> Result<()> {
        self.sessions.start().await?;
        self.states.start().await?;
        Ok(self.memories.start().await?)
    }

    pub(crate) async fn stop(&self) -> Result<()> {
        self.sessions.stop().await?;
        self.states.stop().await?;
        Ok(self.memories.stop().await?)
    }

    /// The total size in bytes: in this process, in the file with its log, or in Redis.
    pub(crate) fn bytes(&self) -> Result<u64> {
        match &self.place {
            Place::Here => crate::process::resident_here(),
            Place::File(database) => {
                let mut log = database.file().into_os_string();
                log.push("-wal");
                let log = std::fs::metadata(log).map_or(0, |log| log.len());
                Ok(std::fs::metadata(database.file())?.len() + log)
            }
            Place::Server(server) => used_memory(server),
        }
    }
}
