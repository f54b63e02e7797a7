//! Measures the SQLite stores on this machine: `cargo run --release -p agent-services --features sqlite --example
//! sqlite-speed`.
#![expect(clippy::print_stdout, reason = "printing is its purpose")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_schemas::{Message, SessionId, UserId};
use agent_services::memory::{MemoryQuery, MemoryStore};
use agent_services::page::PageSize;
use agent_services::session::{MessageBatch, SessionStore};
use agent_services::sqlite::{SqliteDatabase, SqliteMemoryStore, SqliteOptions, SqliteSessionStore};
use agent_services::{Result, Service, StoreContext};
use tokio::task::JoinSet;

const MEMORIES: usize = 100_000;
const MESSAGES: usize = 99_000;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    for sync_every_commit in [false, true] {
        let mut options = SqliteOptions::default();
        options.sync_every_commit = sync_every_commit;
        println!("\nsync_every_commit: {sync_every_commit}");
        let folder = folder.path().join(sync_every_commit.to_string());
        sessions(SqliteDatabase::new(folder, options)).await?;
    }
    println!("\nmemories");
    memories(SqliteDatabase::new(folder.path().join("memories"), SqliteOptions::default())).await?;
    Ok(())
}

async fn sessions(database: SqliteDatabase) -> Result<()> {
    let store = Arc::new(SqliteSessionStore::new(database, StoreContext::default()));
    store.start().await?;
    let (user, session) = (UserId::new("user"), SessionId::new("session"));
    let message = || Message::user("word ".repeat(60));
    let size = PageSize::new(50)?;
    for count in [10, 1000, MESSAGES] {
        while store.get(&user, &session).await?.map_or(0, |info| info.message_count) < count as u64 {
            let missing =
                count - store.get(&user, &session).await?.map_or(0, |info| info.message_count) as usize;
            let messages: Vec<Message> = (0..missing.min(1000)).map(|_| message()).collect();
            store.append(&user, &session, MessageBatch::of(&messages)?).await?;
        }
        let append =
            median(200, async || store.append(&user, &session, MessageBatch::of(&[message()])?).await)
                .await?;
        let last = median(200, async || store.last_messages(&user, &session, size).await).await?;
        println!("with {count} messages: append {append:?}, read the last 50 {last:?}");
    }
    for writers in [1, 16, 64] {
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for writer in 0..writers {
            let (store, user) = (Arc::clone(&store), user.clone());
            tasks.spawn(async move {
                let session = SessionId::new(format!("{writers} {writer}"));
                for _ in 0..6400 / writers {
                    store
                        .append(&user, &session, MessageBatch::of(&[Message::user("word ".repeat(60))])?)
                        .await?;
                }
                Result::Ok(())
            });
        }
        for result in tasks.join_all().await {
            result?;
        }
        println!("{writers} writers: {:.0} appends per second", 6400.0 / start.elapsed().as_secs_f64());
    }
    store.stop().await
}

async fn memories(database: SqliteDatabase) -> Result<()> {
    let file = database.file();
    let store = SqliteMemoryStore::new(database, StoreContext::default());
    store.start().await?;
    let user = UserId::new("user");
    let mut random = Random(7);
    let start = Instant::now();
    for _ in 0..MEMORIES / 100 {
        let session = SessionId::new(random.below(1000).to_string());
        let messages = (0..100).map(|_| Message::user(random.text(20))).collect();
        store.add(&user, &session, messages).await?;
    }
    let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    println!("{MEMORIES} memories in {:?}, {} MB", start.elapsed(), bytes >> 20);
    let session = SessionId::new("7");
    let add =
        median(50, async || store.add(&user, &session, vec![Message::user("one two three")]).await).await?;
    println!("add one: {add:?}");
    // Words with smaller numbers are more common.
    for text in ["w5000 w12000", "w50 w700 w3000", "w1 w2 w3 w10", "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10"] {
        let mut query = MemoryQuery::new(text);
        let all = median(50, async || store.search(&user, &query).await).await?;
        query.session_id = Some(session.clone());
        let of_session = median(50, async || store.search(&user, &query).await).await?;
        query.session_id = None;
        query.since = Some(1);
        let of_time = median(50, async || store.search(&user, &query).await).await?;
        println!("search '{text}': {all:?}; of a session {of_session:?}; of all time {of_time:?}");
    }
    let mut times = Vec::new();
    for _ in 0..200 {
        let query = MemoryQuery::new(random.text(4));
        times.push(time(async || store.search(&user, &query).await).await?);
    }
    times.sort();
    println!("search four random words: median {:?}, 99 of 100 within {:?}", times[100], times[198]);
    let start = Instant::now();
    let deleted = store.delete_session(&user, &session).await?;
    println!("delete {deleted} memories of a session: {:?}", start.elapsed());
    let start = Instant::now();
    let deleted = store.delete_user(&user).await?;
    println!("delete the {deleted} others: {:?}", start.elapsed());
    store.stop().await
}

async fn median<T>(times: usize, work: impl AsyncFn() -> Result<T>) -> Result<Duration> {
    let mut all = Vec::new();
    for _ in 0..times {
        all.push(time(&work).await?);
    }
    all.sort();
    Ok(all[times / 2])
}

async fn time<T>(work: impl AsyncFn() -> Result<T>) -> Result<Duration> {
    let start = Instant::now();
    work().await?;
    Ok(start.elapsed())
}

/// Repeatable noise (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Words of a vocabulary of 20,000, the n-th of which occurs about 1/n as often as the first, as in natural languages.
    fn text(&mut self, words: usize) -> String {
        let word = |_| {
            let uniform = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
            format!("w{}", (uniform * 20_000_f64.ln()).exp() as u64)
        };
        (0..words).map(word).collect::<Vec<_>>().join(" ")
    }
}
