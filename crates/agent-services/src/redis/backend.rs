//! The backend for URLs that begin with `redis:` or a related scheme.

use std::sync::Arc;
use std::time::Duration;

use super::{RedisClient, RedisConfig, RedisMemoryStore, RedisRunStore, RedisSessionStore, RedisStateStore};
use crate::Result;
use crate::backend::{Backend, OpenOptions, StoreUrl, Stores};
use crate::run::Retention;

/// Keeps everything in Redis, at the address that [`RedisConfig::new`] parses. The parameters of the URL are ours:
///
/// | parameter | meaning |
/// |---|---|
/// | `prefix=…` | the start of every key, `agent` by default; programs with the same prefix share their data |
/// | `ttl_seconds=…` | how long sessions, states and memories are kept after their last use; without it, forever |
#[derive(Clone, Copy, Debug, Default)]
pub struct RedisBackend;

impl Backend for RedisBackend {
    fn open(&self, url: &StoreUrl, options: &OpenOptions) -> Result<Stores> {
        let parameters = url.parameters(&["prefix", "ttl_seconds"])?;
        let mut config = RedisConfig::new(&format!("{}:{}", url.scheme(), url.location()))?;
        if let Some(prefix) = parameters.get("prefix") {
            config = config.with_prefix(prefix)?;
        }
        if options.is_read_only {
            config = config.read_only();
        }
        let client = RedisClient::new(config);
        let context = &options.context;
        let runs = RedisRunStore::new(client.clone(), context.clone())
            .with_retention(options.retention(Retention::DURABLE));
        let mut sessions = RedisSessionStore::new(client.clone(), context.clone())
            .with_retention(options.session_retention(Retention::DURABLE));
        let mut states = RedisStateStore::new(client.clone(), context.clone());
        let mut memories = RedisMemoryStore::new(client, context.clone());
        if let Some(ttl) = parameters.read("ttl_seconds", "a number of seconds")?.map(Duration::from_secs) {
            (sessions, states, memories) =
                (sessions.with_ttl(ttl), states.with_ttl(ttl), memories.with_ttl(ttl));
        }
        let stores = Stores::new(Arc::new(runs), Arc::new(sessions), Arc::new(states));
        Ok(stores.with_memories(Arc::new(memories)))
    }
}
