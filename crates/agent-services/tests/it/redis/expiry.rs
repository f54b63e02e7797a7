//! The effect of a time to live. The tests do not wait for it, but read and set the remaining time.

use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use agent_schemas::{Json, Message};
use agent_services::memory::{MemoryQuery, MemoryStore};
use agent_services::redis::{RedisMemoryStore, RedisSessionStore, RedisStateStore};
use agent_services::session::{Appended, MessageBatch, SessionChange, SessionStore};
use agent_services::state::StateStore;
use agent_services::{Service, StoreContext};

use super::server::shared;
use super::{admin, batch, client_with_prefix, fresh_prefix, keyed, session, started, texts, user};

const TTL: Duration = Duration::from_secs(3600);
const TTL_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// The results of `PTTL` for a key that does not expire, and for a missing key.
const NEVER: i64 = -1;
const NO_KEY: i64 = -2;

/// The keys of the user `u`.
struct Keys {
    prefix: String,
    admin: MultiplexedConnection,
}

impl Keys {
    async fn new() -> Keys {
        Keys { prefix: fresh_prefix(), admin: admin(&shared().await).await }
    }

    fn client(&self, url: &str) -> agent_services::redis::RedisClient {
        client_with_prefix(url, &self.prefix)
    }

    async fn run(&mut self, command: &str, key: &str, argument: Option<i64>) -> i64 {
        let mut request = ::redis::cmd(command);
        request.arg(format!("{}:v2:default:{{u}}:{key}", self.prefix)).arg(argument);
        request.query_async(&mut self.admin).await.expect("answered")
    }

    async fn left(&mut self, key: &str) -> i64 {
        self.run("PTTL", key, None).await
    }

    /// Sets the remaining time of a key.
    async fn set_left(&mut self, key: &str, left_ms: i64) {
        assert_eq!(self.run("PEXPIRE", key, Some(left_ms)).await, 1, "{key} exists");
    }

    /// Expects keys to live for `expected`, or up to a minute less.
    async fn check_left(&mut self, keys: &[&str], expected: i64) {
        for key in keys {
            let left = self.left(key).await;
            assert!(
                (expected - 60_000..=expected).contains(&left),
                "{key} lives {left} ms and not {expected}"
            );
        }
    }
}

const SESSION: &[&str] = &["session:s", "sessions", "sessions:expiry"];

async fn sessions(keys: &Keys, ttl: Option<Duration>) -> RedisSessionStore {
    let store = RedisSessionStore::new(keys.client(&shared().await), StoreContext::default());
    started(if let Some(ttl) = ttl { store.with_ttl(ttl) } else { store }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn session__every_use__extends_its_life() {
    let mut keys = Keys::new().await;
    let store = sessions(&keys, Some(TTL)).await;
    let (u, s) = (user("u"), session("s"));
    store.create(&u, Some(&s)).await.expect("made");
    keys.check_left(SESSION, TTL_MS).await;
    keys.check_left(&["sessions:last"], TTL_MS + DAY_MS).await;
    for round in 0..6 {
        for key in SESSION {
            keys.set_left(key, 100_000).await;
        }
        match round {
            0 => drop(store.create(&u, Some(&s)).await.expect("kept")),
            1 => drop(store.get(&u, &s).await.expect("readable")),
            2 => drop(store.append(&u, &s, keyed("k", &["a"])).await.expect("appended")),
            3 => drop(store.append(&u, &s, keyed("k", &["a"])).await.expect("repeated")),
            4 => drop(store.last_messages(&u, &s, Default::default()).await.expect("readable")),
            _ => drop(store.change(&u, &s, SessionChange::default()).await.expect("changed")),
        }
        keys.check_left(SESSION, TTL_MS).await;
    }
    for key in SESSION {
        keys.set_left(key, 100_000).await;
    }
    store.list(&u, None, Default::default()).await.expect("listed");
    store.get(&u, &session("other")).await.expect("readable");
    keys.check_left(SESSION, 100_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn session__expired__is_gone_completely() {
    let mut keys = Keys::new().await;
    let store = sessions(&keys, Some(TTL)).await;
    let (u, s) = (user("u"), session("s"));
    let before = store.create(&u, Some(&s)).await.expect("made");
    store.append(&u, &s, keyed("k", &["a", "b"])).await.expect("appended");
    store.create(&u, Some(&session("t"))).await.expect("made");
    keys.set_left("session:s", 0).await;
    assert_eq!(store.get(&u, &s).await.expect("readable"), None);
    assert_eq!(store.messages(&u, &s, 0, Default::default()).await.expect("readable"), None);
    let listed = store.list(&u, None, Default::default()).await.expect("listed").items;
    assert_eq!(listed.iter().map(|info| info.id.as_str()).collect::<Vec<_>>(), ["t"]);
    let appended = store.append(&u, &s, keyed("k", &["c"])).await.expect("appended");
    assert_eq!(appended, Appended { first: 0, count: 1 }, "its batch keys are gone, too");
    assert_eq!(texts(&store, "u", "s").await, ["c"]);
    let after = store.get(&u, &s).await.expect("readable").expect("there");
    assert!(after.number > before.number);
    keys.set_left("session:s", 0).await;
    assert_eq!(store.delete_user(&u).await.expect("deleted"), 1, "only the one that was there");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_numbers__all_expired__still_grow() {
    let mut keys = Keys::new().await;
    let store = sessions(&keys, Some(TTL)).await;
    let mut last = 0;
    for _ in 0..3 {
        let made = store.create(&user("u"), None).await.expect("made");
        assert!(made.number > last);
        last = made.number;
        for key in ["sessions", "sessions:expiry", "sessions:last"] {
            keys.set_left(key, 0).await;
        }
    }
    store.create(&user("u"), None).await.expect("made");
    store.delete_user(&user("u")).await.expect("deleted");
    keys.check_left(&["sessions:last"], DAY_MS).await;
    assert!(store.create(&user("u"), None).await.expect("made").number > last);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_list__expires_with_the_last_session() {
    let mut keys = Keys::new().await;
    let expiring = sessions(&keys, Some(TTL)).await;
    let lasting = sessions(&keys, None).await;
    let u = user("u");
    expiring.create(&u, Some(&session("s"))).await.expect("made");
    lasting.create(&u, Some(&session("lasting"))).await.expect("made");
    expiring.create(&u, Some(&session("s"))).await.expect("kept");
    assert_eq!((keys.left("sessions").await, keys.left("session:lasting").await), (NEVER, NEVER));
    assert_eq!(keys.left("sessions:last").await, NEVER);
    keys.check_left(&["session:s"], TTL_MS).await;
    lasting.delete(&u, &session("lasting")).await.expect("deleted");
    let longer = sessions(&keys, Some(TTL * 2)).await;
    longer.create(&u, Some(&session("longer"))).await.expect("made");
    expiring.create(&u, Some(&session("s"))).await.expect("kept");
    keys.check_left(&["sessions", "sessions:expiry"], 2 * TTL_MS).await;
    // Without a time to live, used data is kept forever.
    lasting.append(&u, &session("s"), batch(&["a"])).await.expect("appended");
    assert_eq!((keys.left("session:s").await, keys.left("sessions").await), (NEVER, NEVER));
    // The next write removes expired sessions from the lists.
    let mut set = ::redis::cmd("ZADD");
    set.arg(format!("{}:v2:default:{{u}}:sessions:expiry", keys.prefix)).arg(1).arg("longer");
    set.exec_async(&mut keys.admin).await.expect("set");
    expiring.create(&u, Some(&session("t"))).await.expect("made");
    assert_eq!(keys.run("ZCARD", "sessions", None).await, 2);
    assert_eq!(keys.run("ZCARD", "sessions:expiry", None).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn states__of_one_session__expire_together() {
    const STATES: &[&str] = &["states:s:rounds", "states:s:values", "states"];
    let mut keys = Keys::new().await;
    let make = async |ttl: Option<Duration>| {
        let store = RedisStateStore::new(keys.client(&shared().await), StoreContext::default());
        started(if let Some(ttl) = ttl { store.with_ttl(ttl) } else { store }).await
    };
    let (store, lasting) = (make(Some(TTL)).await, make(None).await);
    let (u, s) = (user("u"), session("s"));
    store.save(&u, &s, None, &Json::Null).await.expect("saved");
    store.save(&u, &s, None, &Json::Null).await.expect("saved");
    keys.check_left(STATES, TTL_MS).await;
    for round in 0..3 {
        for key in STATES {
            keys.set_left(key, 100_000).await;
        }
        match round {
            0 => drop(store.save(&u, &s, Some(7), &Json::Null).await.expect("saved")),
            1 => drop(store.export(&u, &s, None).await.expect("readable")),
            _ => drop(store.delete_round(&u, &s, 7).await.expect("deleted")),
        }
        keys.check_left(STATES, TTL_MS).await;
    }
    lasting.save(&u, &session("lasting"), None, &Json::Null).await.expect("saved");
    assert_eq!((keys.left("states").await, keys.left("states:lasting:values").await), (NEVER, NEVER));
    for key in &STATES[..2] {
        keys.set_left(key, 0).await;
    }
    assert_eq!(store.export(&u, &s, None).await.expect("readable"), None);
    assert_eq!(store.save(&u, &s, None, &Json::Null).await.expect("saved"), 1, "a new session counts from 1");
    assert_eq!(store.delete_user(&u).await.expect("deleted"), 2);
    assert_eq!(keys.left("states").await, NO_KEY);
}

#[tokio::test(flavor = "multi_thread")]
async fn memories__of_one_user__expire_together() {
    const MEMORIES: &[&str] = &["memories", "memories:words", "memories:numbers", "memories:sessions"];
    let mut keys = Keys::new().await;
    let store = RedisMemoryStore::new(keys.client(&shared().await), StoreContext::default()).with_ttl(TTL);
    let store = started(store).await;
    let (u, s) = (user("u"), session("s"));
    let add = async || store.add(&u, &s, vec![Message::user("apple")]).await.expect("added")[0];
    let first = add().await;
    keys.check_left(MEMORIES, TTL_MS).await;
    for round in 0..3 {
        for key in MEMORIES {
            keys.set_left(key, 100_000).await;
        }
        match round {
            0 => drop(add().await),
            1 => drop(store.search(&u, &MemoryQuery::new("apple")).await.expect("searched")),
            _ => drop(store.delete(&u, first).await.expect("deleted")),
        }
        keys.check_left(MEMORIES, TTL_MS).await;
    }
    keys.check_left(&["memories:last"], TTL_MS + DAY_MS).await;
    for key in MEMORIES {
        keys.set_left(key, 0).await;
    }
    assert!(store.search(&u, &MemoryQuery::new("apple")).await.expect("searched").is_empty());
    keys.set_left("memories:last", 0).await;
    assert!(add().await > first, "no number is reused");
    store.stop().await.expect("stopped");
    let lasting = started(RedisMemoryStore::new(keys.client(&shared().await), StoreContext::default())).await;
    lasting.add(&u, &s, vec![Message::user("pear")]).await.expect("added");
    for key in MEMORIES {
        assert_eq!(keys.left(key).await, NEVER, "{key}");
    }
}

#[tokio::test]
async fn anonymous_session__until_it_is_named__expires_after_its_last_append() {
    let mut keys = Keys::new().await;
    let age = agent_services::run::Retention { age: TTL, bytes: 0 };
    let store =
        RedisSessionStore::new(keys.client(&shared().await), StoreContext::default()).with_retention(age);
    store.start().await.expect("started");
    let all = ["session:s", "sessions", "sessions:expiry"];
    let anonymous = MessageBatch { is_anonymous: true, ..batch(&["a"]) };
    store.append(&user("u"), &session("s"), anonymous.clone()).await.expect("appended");
    keys.check_left(&all, TTL_MS).await;
    keys.set_left("session:s", TTL_MS / 2).await;
    store.get(&user("u"), &session("s")).await.expect("readable").expect("there");
    keys.check_left(&["session:s"], TTL_MS / 2).await;
    store.append(&user("u"), &session("s"), anonymous).await.expect("appended");
    keys.check_left(&all, TTL_MS).await;
    store.append(&user("u"), &session("s"), batch(&["b"])).await.expect("appended");
    for key in ["session:s", "sessions", "sessions:last"] {
        assert_eq!(keys.left(key).await, NEVER, "{key}");
    }
}
