//! Where sessions, states, memories and runs are kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent_runner::Services;
use agent_services::StoreContext;
use agent_services::limits::StoreLimits;
use agent_services::memory::{InMemoryMemoryStore, MemoryStore};
#[cfg(feature = "redis")]
use agent_services::redis::{
    RedisClient, RedisConfig, RedisMemoryStore, RedisRunStore, RedisSessionStore, RedisStateStore,
};
use agent_services::run::{InMemoryRunStore, Retention, RunStore};
use agent_services::session::{InMemorySessionStore, SessionStore};
#[cfg(feature = "sqlite")]
use agent_services::sqlite::{
    SqliteDatabase, SqliteMemoryStore, SqliteOptions, SqliteRunStore, SqliteSessionStore, SqliteStateStore,
};
use agent_services::state::{InMemoryStateStore, StateStore};
use serde::{Deserialize, Serialize, Serializer};

use super::{Config, ConfigError, Environment};

/// Where sessions, states, memories and runs are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServicesConfig {
    /// The backend of all services: `sqlite`, `redis` or `in_memory`. Without it, Redis if `redis_url` is given, else
    /// SQLite.
    pub(crate) backend: Option<Backend>,
    /// The backend of sessions, if it is another one.
    pub(crate) sessions: Option<Backend>,
    /// The backend of agent states, if it is another one.
    pub(crate) states: Option<Backend>,
    /// The backend of memories, if it is another one.
    pub(crate) memories: Option<Backend>,
    /// The backend of runs, if it is another one.
    pub(crate) runs: Option<Backend>,
    /// Where Redis is: `redis://host:port`, `rediss://…` with TLS, `redis-cluster://host:port,…`, or
    /// `redis-sentinel://host:port,…/master`.
    pub(crate) redis_url: Option<RedisUrl>,
    /// What the names of all keys in Redis begin with; servers with the same prefix share their data.
    pub(crate) redis_prefix: Option<String>,
    /// How long sessions, states and memories in Redis live after their last use, in seconds. Without it, for ever.
    pub(crate) redis_ttl_seconds: Option<u64>,
    /// Whether SQLite waits for the disk at each commit, which makes what was acknowledged survive a loss of power too.
    pub(crate) sync_every_commit: bool,
    /// The most messages that one session may have.
    pub(crate) session_messages: Option<u64>,
    /// The most bytes that all messages of one session may have.
    pub(crate) session_bytes: Option<u64>,
    /// The most bytes that one message, state or metadata may have.
    pub(crate) item_bytes: Option<usize>,
}

/// Where a service keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Backend {
    /// In this process; gone with it.
    InMemory,
    /// In a file of the data folder.
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// In Redis, which other servers may share.
    #[cfg(feature = "redis")]
    Redis,
}

/// A URL that may hold a password, which is not shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct RedisUrl(String);

impl RedisUrl {
    /// The URL without what stands before the host.
    fn shown(&self) -> String {
        match self.0.split_once("://") {
            Some((scheme, rest)) => match rest.rsplit_once('@') {
                Some((_, hosts)) => format!("{scheme}://[redacted]@{hosts}"),
                None => self.0.clone(),
            },
            None => "[redacted]".to_owned(),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Serialize for RedisUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

/// The folder under which data is kept if none is named: `agent-server` in `XDG_DATA_HOME`, else in `~/.local/share`.
fn default_data_dir(environment: &Environment) -> Option<PathBuf> {
    let base = match environment.get("XDG_DATA_HOME").map(Path::new).filter(|path| path.is_absolute()) {
        Some(path) => path.to_owned(),
        None => Path::new(environment.get("HOME")?).join(".local/share"),
    };
    Some(base.join("agent-server"))
}

impl Config {
    /// The folder that holds the data of this server.
    ///
    /// # Errors
    /// If none is named and the environment does not tell where data belongs.
    pub(crate) fn resolved_data_dir(&self, environment: &Environment) -> Result<PathBuf, ConfigError> {
        let named = self.data_dir.clone().or_else(|| default_data_dir(environment));
        named.ok_or_else(|| {
            ConfigError::from_message(
                "there is no folder for the data, as HOME is not set; name one with --data-dir, or use --ephemeral to \
                 keep everything in memory",
            )
        })
    }

    /// The services that the configuration names, not yet started.
    ///
    /// # Errors
    /// If a backend lacks what it needs.
    pub(crate) fn build_services(&self, environment: &Environment) -> Result<Services, ConfigError> {
        self.build(environment, false)
    }

    /// The services, to be read beside a server that has them; writing may be refused. Not yet started.
    ///
    /// # Errors
    /// If a backend lacks what it needs.
    pub(crate) fn build_services_to_read(&self, environment: &Environment) -> Result<Services, ConfigError> {
        self.build(environment, true)
    }

    fn build(&self, environment: &Environment, is_read_only: bool) -> Result<Services, ConfigError> {
        // Only a file has a folder, and may be read beside the server that has it.
        #[cfg(not(feature = "sqlite"))]
        let _ = (environment, is_read_only);
        let mut builder = Builder {
            config: self,
            #[cfg(feature = "sqlite")]
            environment,
            #[cfg(feature = "sqlite")]
            is_read_only,
            #[cfg(feature = "sqlite")]
            sqlite: None,
            #[cfg(feature = "redis")]
            redis: None,
            in_memory: None,
        };
        let mut services = Services::in_memory();
        let named = &self.services;
        services.sessions = builder.sessions(self.backend(named.sessions))?;
        services.states = builder.states(self.backend(named.states))?;
        services.memories = builder.memories(self.backend(named.memories))?;
        services.runs = builder.runs(self.backend(named.runs))?;
        Ok(services)
    }

    /// The backend of a service with this backend of its own.
    fn backend(&self, own: Option<Backend>) -> Backend {
        if self.ephemeral {
            return Backend::InMemory;
        }
        own.or(self.services.backend).unwrap_or_else(|| self.default_backend())
    }

    fn default_backend(&self) -> Backend {
        #[cfg(feature = "redis")]
        if self.services.redis_url.is_some() {
            return Backend::Redis;
        }
        #[cfg(feature = "sqlite")]
        return Backend::Sqlite;
        #[cfg(not(feature = "sqlite"))]
        Backend::InMemory
    }
}

/// Builds services; what several of them share is made once.
struct Builder<'a> {
    config: &'a Config,
    #[cfg(feature = "sqlite")]
    environment: &'a Environment,
    /// Whether a server may have the data folder at the same time.
    #[cfg(feature = "sqlite")]
    is_read_only: bool,
    #[cfg(feature = "sqlite")]
    sqlite: Option<SqliteDatabase>,
    #[cfg(feature = "redis")]
    redis: Option<RedisClient>,
    /// The sessions that runs in memory end together with.
    in_memory: Option<Arc<InMemorySessionStore>>,
}

impl Builder<'_> {
    fn context(&self) -> StoreContext {
        let mut limits = StoreLimits::default();
        let named = &self.config.services;
        limits.session_messages = named.session_messages.unwrap_or(limits.session_messages);
        limits.session_bytes = named.session_bytes.unwrap_or(limits.session_bytes);
        limits.item_bytes = named.item_bytes.unwrap_or(limits.item_bytes);
        StoreContext::default().with_limits(limits)
    }

    fn sessions(&mut self, backend: Backend) -> Result<Arc<dyn SessionStore>, ConfigError> {
        let context = self.context();
        Ok(match backend {
            Backend::InMemory => {
                let store = Arc::new(InMemorySessionStore::new(context));
                self.in_memory.insert(store).clone()
            }
            #[cfg(feature = "sqlite")]
            Backend::Sqlite => Arc::new(SqliteSessionStore::new(self.sqlite()?, context)),
            #[cfg(feature = "redis")]
            Backend::Redis => {
                let store = RedisSessionStore::new(self.redis()?, context);
                Arc::new(match self.redis_ttl() {
                    Some(ttl) => store.with_ttl(ttl),
                    None => store,
                })
            }
        })
    }

    fn states(&mut self, backend: Backend) -> Result<Arc<dyn StateStore>, ConfigError> {
        let context = self.context();
        Ok(match backend {
            Backend::InMemory => Arc::new(InMemoryStateStore::new(context)),
            #[cfg(feature = "sqlite")]
            Backend::Sqlite => Arc::new(SqliteStateStore::new(self.sqlite()?, context)),
            #[cfg(feature = "redis")]
            Backend::Redis => {
                let store = RedisStateStore::new(self.redis()?, context);
                Arc::new(match self.redis_ttl() {
                    Some(ttl) => store.with_ttl(ttl),
                    None => store,
                })
            }
        })
    }

    fn memories(&mut self, backend: Backend) -> Result<Arc<dyn MemoryStore>, ConfigError> {
        let context = self.context();
        Ok(match backend {
            Backend::InMemory => Arc::new(InMemoryMemoryStore::new(context)),
            #[cfg(feature = "sqlite")]
            Backend::Sqlite => Arc::new(SqliteMemoryStore::new(self.sqlite()?, context)),
            #[cfg(feature = "redis")]
            Backend::Redis => {
                let store = RedisMemoryStore::new(self.redis()?, context);
                Arc::new(match self.redis_ttl() {
                    Some(ttl) => store.with_ttl(ttl),
                    None => store,
                })
            }
        })
    }

    fn runs(&mut self, backend: Backend) -> Result<Arc<dyn RunStore>, ConfigError> {
        let context = self.context();
        let runs = &self.config.runs;
        let retention = |mut retention: Retention| {
            retention.age = runs.retention_seconds.map_or(retention.age, Duration::from_secs);
            retention.bytes = runs.retention_bytes.unwrap_or(retention.bytes);
            retention
        };
        Ok(match backend {
            Backend::InMemory => {
                let store = InMemoryRunStore::new(context).with_retention(retention(Retention::IN_MEMORY));
                Arc::new(match &self.in_memory {
                    Some(sessions) => store.with_sessions(Arc::clone(sessions)),
                    None => store,
                })
            }
            #[cfg(feature = "sqlite")]
            Backend::Sqlite => {
                let store = SqliteRunStore::new(self.sqlite()?, context);
                Arc::new(store.with_retention(retention(Retention::DURABLE)))
            }
            #[cfg(feature = "redis")]
            Backend::Redis => {
                let store = RedisRunStore::new(self.redis()?, context);
                Arc::new(store.with_retention(retention(Retention::DURABLE)))
            }
        })
    }

    #[cfg(feature = "sqlite")]
    fn sqlite(&mut self) -> Result<SqliteDatabase, ConfigError> {
        if let Some(database) = &self.sqlite {
            return Ok(database.clone());
        }
        let mut options = SqliteOptions::default();
        options.sync_every_commit = self.config.services.sync_every_commit;
        let folder = self.config.resolved_data_dir(self.environment)?;
        let database = if self.is_read_only {
            SqliteDatabase::read_only(folder)
        } else {
            SqliteDatabase::new(folder, options)
        };
        Ok(self.sqlite.insert(database).clone())
    }

    #[cfg(feature = "redis")]
    fn redis(&mut self) -> Result<RedisClient, ConfigError> {
        if let Some(client) = &self.redis {
            return Ok(client.clone());
        }
        let named = &self.config.services;
        let Some(url) = &named.redis_url else {
            let message = "services.backend is redis, and services.redis_url does not say where Redis is";
            return Err(ConfigError::from_message(message));
        };
        let wrong = |error: agent_services::Error| ConfigError::from_message(error.to_string());
        let mut config = RedisConfig::new(&url.0).map_err(wrong)?;
        if let Some(prefix) = &named.redis_prefix {
            config = config.with_prefix(prefix).map_err(wrong)?;
        }
        Ok(self.redis.insert(RedisClient::new(config)).clone())
    }

    #[cfg(feature = "redis")]
    fn redis_ttl(&self) -> Option<Duration> {
        self.config.services.redis_ttl_seconds.map(Duration::from_secs)
    }
}
