//! The stores of the real server.

use anyhow::Result;
use tempfile::TempDir;

use agent_tests::redis::RedisServer;

/// A store, and the durability with which the server uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// Memory, with `--ephemeral`.
    Memory,
    /// The server's default, a database in a folder.
    Sqlite,
    SqliteRelaxed,
    Redis,
    RedisRelaxed,
}

/// The resources of a server's store, as long as the server runs.
#[derive(Debug, Default)]
pub(crate) struct StoreResources {
    _folder: Option<TempDir>,
    _redis: Option<RedisServer>,
}

impl Store {
    /// Those that outlive the process and are always measured.
    pub(crate) const DURABLE: [Store; 3] = [Store::Sqlite, Store::SqliteRelaxed, Store::Redis];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Store::Memory => "memory",
            Store::Sqlite => "sqlite, strict",
            Store::SqliteRelaxed => "sqlite, relaxed",
            Store::Redis => "redis, strict",
            Store::RedisRelaxed => "redis, relaxed",
        }
    }

    pub(crate) fn is_relaxed(self) -> bool {
        matches!(self, Store::SqliteRelaxed | Store::RedisRelaxed)
    }

    /// A new one, and the arguments of a server that uses it.
    pub(crate) fn open(self) -> Result<(Vec<String>, StoreResources)> {
        let mut kept = StoreResources::default();
        let arguments = match self {
            Store::Memory => vec!["--ephemeral".to_owned()],
            Store::Sqlite | Store::SqliteRelaxed => {
                let folder = kept._folder.insert(tempfile::tempdir()?);
                vec!["--data-dir".to_owned(), folder.path().display().to_string()]
            }
            Store::Redis | Store::RedisRelaxed => {
                let redis = kept._redis.insert(RedisServer::start()?);
                vec!["--store".to_owned(), redis.url()]
            }
        };
        Ok((arguments, kept))
    }
}
