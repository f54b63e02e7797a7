//! A damaged file causes errors, but no panic or crash.

use std::fs;

use agent_schemas::{Json, Message};
use agent_services::memory::{MemoryQuery, MemoryStore};
use agent_services::page::PageSize;
use agent_services::session::SessionStore;
use agent_services::sqlite::{SqliteDatabase, SqliteMemoryStore, SqliteSessionStore, SqliteStateStore};
use agent_services::state::StateStore;
use agent_services::{ErrorKind, Result, Service, StoreContext};

use super::{append, batch, database, folder, s, u};

/// The stores of a database.
struct Stores(SqliteSessionStore, SqliteStateStore, SqliteMemoryStore);

impl Stores {
    fn new(database: &SqliteDatabase) -> Self {
        let context = StoreContext::default;
        Stores(
            SqliteSessionStore::new(database.clone(), context()),
            SqliteStateStore::new(database.clone(), context()),
            SqliteMemoryStore::new(database.clone(), context()),
        )
    }

    async fn start(&self) -> Result<()> {
        self.0.start().await?;
        self.1.start().await?;
        self.2.start().await
    }

    async fn stop(&self) {
        self.0.stop().await.expect("stopped");
        self.1.stop().await.expect("stopped");
        self.2.stop().await.expect("stopped");
    }

    /// The results of all kinds of calls.
    async fn use_all(&self) -> Vec<Result<()>> {
        let (u, s, size) = (&u(), &s(), PageSize::default());
        let Stores(sessions, states, memories) = self;
        vec![
            sessions.get(u, s).await.map(drop),
            sessions.messages(u, s, 0, size).await.map(drop),
            sessions.list(u, None, size).await.map(drop),
            sessions.append(u, s, batch(&["more"])).await.map(drop),
            states.export(u, s, None).await.map(drop),
            states.rounds(u, s, None, size).await.map(drop),
            states.save(u, s, None, &Json::Null).await.map(drop),
            memories.search(u, &MemoryQuery::new("word1 word2")).await.map(drop),
            memories.list(u, Some(s), None, size).await.map(drop),
            memories.add(u, s, vec![Message::user("more words")]).await.map(drop),
            memories.delete(u, 7).await.map(drop),
            memories.delete_session(u, s).await.map(drop),
            sessions.delete_user(u).await.map(drop),
        ]
    }
}

#[tokio::test]
async fn page__any_damaged__is_reported_or_harmless() {
    const PAGE: usize = 4096;
    let folder = folder();
    let database = database(folder.path());
    let stores = Stores::new(&database);
    stores.start().await.expect("started");
    for number in 0..40_i64 {
        append(&stores.0, &format!("{number} ").repeat(100)).await;
        stores.1.save(&u(), &s(), None, &Json::from(number)).await.expect("saved");
        let message = Message::user(format!("word{} word{}", number % 5, number));
        stores.2.add(&u(), &s(), vec![message]).await.expect("added");
    }
    stores.stop().await;
    let whole = fs::read(database.file()).expect("readable");
    let mut found = 0;
    for page in 0..whole.len() / PAGE {
        // Its header, its rows, or all of it.
        for (from, to) in [(0, 12), (PAGE / 2, PAGE), (0, PAGE)] {
            let mut damaged = whole.clone();
            damaged[page * PAGE + from..page * PAGE + to].fill(0xa5);
            fs::write(database.file(), damaged).expect("written");
            let stores = Stores::new(&database);
            let results = match stores.start().await {
                Ok(()) => stores.use_all().await,
                Err(error) if page == 0 && error.kind() == ErrorKind::InvalidInput => continue,
                Err(error) => vec![Err(error)],
            };
            for error in results.into_iter().filter_map(Result::err) {
                found += 1;
                assert_eq!(error.kind(), ErrorKind::Unexpected, "page {page}: {error}");
                assert!(error.to_string().contains("damaged"), "page {page}: {error}");
            }
            stores.stop().await;
        }
    }
    assert!(found > 50, "only {found} errors");
}
