//! The data that the program `store-writer` writes and its test expects: one description for both.

use std::path::PathBuf;
use std::sync::Arc;

use agent_schemas::{Json, Message, SessionId, UserId, object};
use agent_services::memory::MemoryStore;
use agent_services::redis::{RedisClient, RedisConfig, RedisMemoryStore, RedisSessionStore, RedisStateStore};
use agent_services::session::{MessageBatch, SessionStore};
use agent_services::sqlite::{
    SqliteDatabase, SqliteMemoryStore, SqliteOptions, SqliteSessionStore, SqliteStateStore,
};
use agent_services::state::StateStore;
use agent_services::{Result, StoreContext};

/// Where stores keep their data.
#[derive(Clone, Debug)]
pub enum Place {
    /// In SQLite, in this folder.
    Folder(PathBuf),
    /// In Redis, at this URL.
    Redis(String),
}

impl Place {
    /// The place as an argument of `store-writer`.
    pub fn to_argument(&self) -> String {
        match self {
            Place::Folder(folder) => folder.display().to_string(),
            Place::Redis(url) => url.clone(),
        }
    }

    /// The place of such an argument.
    pub fn of_argument(argument: &str) -> Self {
        if argument.starts_with("redis://") {
            Place::Redis(argument.to_owned())
        } else {
            Place::Folder(argument.into())
        }
    }
}

/// The stores of one place.
#[derive(Debug)]
pub struct Stores {
    /// The store of most writers.
    pub sessions: Arc<dyn SessionStore>,
    /// The store of one of them.
    pub states: Arc<dyn StateStore>,
    /// The store of another one.
    pub memories: Arc<dyn MemoryStore>,
}

impl Stores {
    /// Starts the stores of a place.
    ///
    /// # Errors
    /// If they do not start.
    pub async fn start(place: &Place) -> Result<Self> {
        match place {
            Place::Folder(folder) => {
                Stores::over_sqlite(SqliteDatabase::new(folder, SqliteOptions::default())).await
            }
            Place::Redis(url) => Stores::over_redis(RedisClient::new(RedisConfig::new(url)?)).await,
        }
    }

    /// Starts the stores of a place that is only read.
    ///
    /// # Errors
    /// If it is empty.
    pub async fn start_reading(place: &Place) -> Result<Self> {
        match place {
            Place::Folder(folder) => Stores::over_sqlite(SqliteDatabase::read_only(folder)).await,
            Place::Redis(_) => Stores::start(place).await,
        }
    }

    async fn over_sqlite(database: SqliteDatabase) -> Result<Self> {
        let context = StoreContext::default;
        let stores = Stores {
            sessions: Arc::new(SqliteSessionStore::new(database.clone(), context())),
            states: Arc::new(SqliteStateStore::new(database.clone(), context())),
            memories: Arc::new(SqliteMemoryStore::new(database, context())),
        };
        stores.started().await
    }

    async fn over_redis(client: RedisClient) -> Result<Self> {
        let context = StoreContext::default;
        let stores = Stores {
            sessions: Arc::new(RedisSessionStore::new(client.clone(), context())),
            states: Arc::new(RedisStateStore::new(client.clone(), context())),
            memories: Arc::new(RedisMemoryStore::new(client, context())),
        };
        stores.started().await
    }

    async fn started(self) -> Result<Self> {
        self.sessions.start().await?;
        self.states.start().await?;
        self.memories.start().await?;
        Ok(self)
    }

    /// Stops them.
    ///
    /// # Errors
    /// None that is expected.
    pub async fn stop(&self) -> Result<()> {
        self.sessions.stop().await?;
        self.states.stop().await?;
        self.memories.stop().await
    }
}

/// One of the concurrent writers, each of which has its own session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Writer {
    /// The number of the program's start.
    pub round: u64,
    /// The number of the writer.
    pub number: u64,
}

/// The kind of data that a writer writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Batches of messages.
    Session,
    /// States, one after another.
    State,
    /// Memories, one after another.
    Memory,
}

impl Writer {
    /// The writers of one start of the program.
    pub fn all(round: u64) -> impl Iterator<Item = Writer> {
        (0..6).map(move |number| Writer { round, number })
    }

    /// The kind of data that it writes.
    pub fn kind(self) -> Kind {
        match self.number {
            0 => Kind::State,
            1 => Kind::Memory,
            _ => Kind::Session,
        }
    }

    /// The user of its session.
    pub fn user(self) -> UserId {
        UserId::new("user")
    }

    /// Its session.
    pub fn session(self) -> SessionId {
        SessionId::new(format!("{} {}", self.round, self.number))
    }

    /// The texts of its n-th write: one to four for a session, some of them long.
    pub fn texts(self, n: u64) -> Vec<String> {
        let seed = noise(noise(self.round << 8 | self.number) ^ n);
        let count = if self.kind() == Kind::Session { 1 + seed % 4 } else { 1 };
        let text = |part: u64| {
            let length = noise(seed + part) % if seed.is_multiple_of(16) { 20_000 } else { 500 };
            format!("r{}w{}n{n} {part} {}", self.round, self.number, "x".repeat(length as usize))
        };
        (0..count).map(text).collect()
    }

    /// The state of its n-th write.
    pub fn state(self, n: u64) -> Json {
        let texts = self.texts(n).into_iter().map(Json::from).collect();
        Json::Object(object! { "texts" => Json::Array(texts) })
    }

    /// Writes for the n-th time, and returns when it is acknowledged.
    ///
    /// # Errors
    /// None that is expected.
    pub async fn write(self, stores: &Stores, n: u64) -> Result<()> {
        let (user, session) = (self.user(), self.session());
        let messages: Vec<Message> = self.texts(n).into_iter().map(Message::user).collect();
        match self.kind() {
            Kind::Session => {
                let mut batch = MessageBatch::of(&messages)?;
                batch.key = Some(n.to_string());
                stores.sessions.append(&user, &session, batch).await.map(drop)
            }
            Kind::State => stores.states.save(&user, &session, None, &self.state(n)).await.map(drop),
            Kind::Memory => stores.memories.add(&user, &session, messages).await.map(drop),
        }
    }
}

/// Repeatable noise: another number for each (the mixing function of splitmix64).
pub fn noise(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
