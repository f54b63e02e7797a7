//! The behavior while Redis is unreachable, silent, slow, or being restarted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_schemas::{Json, Message};
use agent_services::memory::MemoryStore;
use agent_services::redis::{RedisClient, RedisMemoryStore, RedisSessionStore, RedisStateStore};
use agent_services::session::{Appended, SessionStore};
use agent_services::state::StateStore;
use agent_services::{ErrorKind, Service, StoreContext};
use tokio::task::JoinSet;

use super::proxy::{Network, Proxy};
use super::server::{Server, shared};
use super::{
    admin, batch, chain, client_with_prefix, config, eventually, fresh_prefix, keyed, session, started,
    texts, user,
};

/// A call ends within the sum of both timeouts.
const CONNECT: Duration = Duration::from_secs(1);
const RESPONSE: Duration = Duration::from_secs(1);
/// The same for five calls, with time for a busy machine.
const BOUND: Duration = Duration::from_secs(20);

/// The port of the shared server.
async fn shared_port() -> u16 {
    let url = shared().await;
    url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port")
}

fn impatient(proxy: &Proxy) -> RedisClient {
    RedisClient::new(config(&proxy.url()).with_timeouts(CONNECT, RESPONSE))
}

async fn sessions(proxy: &Proxy) -> RedisSessionStore {
    started(RedisSessionStore::new(impatient(proxy), StoreContext::default())).await
}

/// Every call fails in time with a temporary failure, and so does the health check.
async fn check_away(store: &RedisSessionStore) {
    let start = Instant::now();
    let errors = [
        store.get(&user("u"), &session("s")).await.map(drop),
        store.append(&user("u"), &session("s"), batch(&["lost"])).await.map(drop),
        store.append(&user("u"), &session("s"), keyed("lost", &["lost"])).await.map(drop),
        store.list(&user("u"), None, Default::default()).await.map(drop),
        store.health().await,
    ];
    for error in errors {
        let error = error.expect_err("Redis is unavailable");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", chain(&error));
        assert!(error.is_retryable());
    }
    assert!(start.elapsed() < BOUND, "five calls took {:?}", start.elapsed());
}

async fn check_back(store: &RedisSessionStore) {
    eventually("Redis is back", || async { store.health().await.is_ok() }).await;
    let appended = store.append(&user("u"), &session("s"), batch(&["back"])).await.expect("it works again");
    assert_eq!(appended.count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn network__cut__recovers() {
    let proxy = Proxy::start(shared_port().await).await;
    let store = sessions(&proxy).await;
    store.append(&user("u"), &session("s"), batch(&["a"])).await.expect("appended");
    for _ in 0..2 {
        proxy.set(Network::Cut);
        check_away(&store).await;
        proxy.set(Network::Good);
        check_back(&store).await;
    }
    assert_eq!(texts(&store, "u", "s").await, ["a", "back", "back"]);
}

/// No call fails because a connection was closed while it was idle.
#[tokio::test(flavor = "multi_thread")]
async fn connection__closed_while_idle__costs_no_call() {
    let proxy = Proxy::start(shared_port().await).await;
    let store = sessions(&proxy).await;
    for number in 0..20 {
        let appended = store.append(&user("u"), &session("s"), batch(&["a"])).await;
        assert_eq!(appended.expect("appended"), Appended { first: number, count: 1 });
        proxy.cut_once().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server__silent__times_out_and_recovers() {
    let proxy = Proxy::start(shared_port().await).await;
    let store = sessions(&proxy).await;
    store.append(&user("u"), &session("s"), batch(&["a"])).await.expect("appended");
    proxy.set(Network::Silent);
    check_away(&store).await;
    // The old connections stay silent forever, so the client has to open a new one by itself.
    proxy.set(Network::Good);
    check_back(&store).await;
    assert_eq!(texts(&store, "u", "s").await, ["a", "back"]);
}

/// Concurrent calls do not wait for each other's attempts to connect.
#[tokio::test(flavor = "multi_thread")]
async fn calls__many_during_outage__fail_together() {
    let proxy = Proxy::start(shared_port().await).await;
    let store = Arc::new(sessions(&proxy).await);
    proxy.set(Network::Silent);
    let start = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..200 {
        let store = Arc::clone(&store);
        calls.spawn(async move { store.get(&user("u"), &session("s")).await.map_err(|error| error.kind()) });
    }
    for result in calls.join_all().await {
        assert_eq!(result, Err(ErrorKind::Unavailable));
    }
    assert!(start.elapsed() < BOUND, "it took {:?}", start.elapsed());
    proxy.set(Network::Good);
    check_back(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn network__slow__works_up_to_the_timeout() {
    let proxy = Proxy::start(shared_port().await).await;
    let store = sessions(&proxy).await;
    proxy.set(Network::Slow(Duration::from_millis(20)));
    store.append(&user("u"), &session("s"), batch(&["a"])).await.expect("slow, but in time");
    proxy.set(Network::Slow(Duration::from_secs(30)));
    check_away(&store).await;
    proxy.set(Network::Good);
    check_back(&store).await;
}

/// The server executed the call, but the answer was lost.
#[tokio::test(flavor = "multi_thread")]
async fn lost_reply__only_idempotent_calls__are_repeated() {
    let proxy = Proxy::start(shared_port().await).await;
    let client = impatient(&proxy);
    let sessions = started(RedisSessionStore::new(client.clone(), StoreContext::default())).await;
    let states = started(RedisStateStore::new(client.clone(), StoreContext::default())).await;
    let (u, s) = (user("u"), session("s"));
    sessions.append(&u, &s, batch(&["a"])).await.expect("appended");
    // The server must know each script; otherwise the lost answer would be that it does not.
    states.save(&user("other"), &s, None, &Json::Null).await.expect("saved");
    let lose = async || {
        // A connection must exist; otherwise the answer to its greeting would be lost.
        sessions.health().await.expect("connected");
        proxy.set(Network::NextAnswerLost);
    };
    let check_lost = || assert!(proxy.is(Network::Good), "an answer was lost");

    lose().await;
    let unknown = sessions.append(&u, &s, batch(&["b"])).await.map_err(|error| error.kind());
    assert_eq!(unknown, Err(ErrorKind::Unavailable), "without a key it must not be repeated");
    check_lost();
    assert_eq!(texts(&sessions, "u", "s").await, ["a", "b"]);

    lose().await;
    sessions.append(&u, &s, keyed("k", &["c"])).await.expect("with a key it is repeated");
    check_lost();
    assert_eq!(texts(&sessions, "u", "s").await, ["a", "b", "c"]);

    lose().await;
    assert_eq!(sessions.get(&u, &s).await.expect("a read is repeated").expect("there").message_count, 3);
    check_lost();

    lose().await;
    let unknown = states.save(&u, &s, None, &Json::Null).await.map_err(|error| error.kind());
    assert_eq!(unknown, Err(ErrorKind::Unavailable), "a second save would be a second round");
    check_lost();
    lose().await;
    assert_eq!(states.save(&u, &s, Some(7), &Json::Null).await.expect("a named round is repeated"), 7);
    check_lost();
    assert_eq!(states.rounds(&u, &s, None, Default::default()).await.expect("listed").items, [7, 1]);

    let memories = started(RedisMemoryStore::new(client, StoreContext::default())).await;
    memories.add(&user("other"), &s, vec![Message::user("a")]).await.expect("added");
    lose().await;
    let unknown = memories.add(&u, &s, vec![Message::user("a")]).await.map_err(|e| e.kind());
    assert_eq!(unknown, Err(ErrorKind::Unavailable));
    check_lost();
    assert_eq!(memories.list(&u, None, None, Default::default()).await.expect("listed").items.len(), 1);
}

/// Writers continue through kills and restarts of a server that writes to disk before it replies.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn restart__acknowledged_writes__survive() {
    const WRITERS: usize = 4;
    const BATCHES: usize = 60;
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let client = RedisClient::new(config(&server.url()).with_timeouts(CONNECT, RESPONSE));
    let store = Arc::new(started(RedisSessionStore::new(client, StoreContext::default())).await);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for number in 0..BATCHES {
                let text = format!("{writer} {number}");
                eventually("the batch is acknowledged", || async {
                    match store.append(&user("u"), &session("s"), keyed(&text, &[&text, &text])).await {
                        Ok(_) => true,
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", chain(&error));
                            false
                        }
                    }
                })
                .await;
            }
        });
    }
    let count = async || {
        store.get(&user("u"), &session("s")).await.ok().flatten().map_or(0, |info| info.message_count)
    };
    for part in 1..=3 {
        let enough = (WRITERS * BATCHES * 2 * part / 4) as u64;
        eventually("a part is written", || async { count().await >= enough }).await;
        server.restart();
    }
    writers.join_all().await;
    let found = texts(&*store, "u", "s").await;
    assert_eq!(found.len(), WRITERS * BATCHES * 2, "nothing is lost or repeated");
    for writer in 0..WRITERS {
        let own: Vec<&String> = found.iter().filter(|text| text.starts_with(&format!("{writer} "))).collect();
        let expected: Vec<String> =
            (0..BATCHES).flat_map(|number| [number; 2]).map(|n| format!("{writer} {n}")).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>(), "each writer's in its order");
    }
}

/// The server has lost the scripts and the data, but the client continues to work.
#[tokio::test(flavor = "multi_thread")]
async fn restart__empty_server__is_used_again() {
    let mut server = Server::start(&[]);
    let client = RedisClient::new(config(&server.url()).with_timeouts(CONNECT, RESPONSE));
    let store = started(RedisSessionStore::new(client, StoreContext::default())).await;
    store.append(&user("u"), &session("s"), batch(&["a"])).await.expect("appended");
    server.kill();
    check_away(&store).await;
    server.restart();
    check_back(&store).await;
    assert_eq!(texts(&store, "u", "s").await, ["back"]);
}

/// `stop` waits for the call, which gets its answer.
#[tokio::test(flavor = "multi_thread")]
async fn stop__running_call__is_awaited() {
    let proxy = Proxy::start(shared_port().await).await;
    let prefix = fresh_prefix();
    let store = RedisSessionStore::new(client_with_prefix(&proxy.url(), &prefix), StoreContext::default());
    let store = Arc::new(started(store).await);
    proxy.set(Network::Slow(Duration::from_millis(300)));
    let mut calls = JoinSet::new();
    let caller = Arc::clone(&store);
    calls.spawn(async move { caller.append(&user("u"), &session("s"), batch(&["a"])).await });
    let admin = admin(&shared().await).await;
    eventually("the server executed it and its answer is in transit", || {
        let mut admin = admin.clone();
        let key = format!("{prefix}:v2:default:{{u}}:session:s");
        async move { ::redis::cmd("EXISTS").arg(key).query_async(&mut admin).await.expect("asked") }
    })
    .await;
    store.stop().await.expect("stopped");
    let appended = calls.join_next().await.expect("a call").expect("no panic").expect("appended");
    assert_eq!(appended.count, 1);
    let refused = store.append(&user("u"), &session("s"), batch(&["b"])).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::Unavailable));
}

/// A start without a server fails, and succeeds as soon as there is one.
#[tokio::test(flavor = "multi_thread")]
async fn start__no_server__fails() {
    let proxy = Proxy::start(shared_port().await).await;
    proxy.set(Network::Cut);
    let store = RedisSessionStore::new(impatient(&proxy), StoreContext::default());
    let refused = store.start().await.map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::Unavailable));
    let refused = store.get(&user("u"), &session("s")).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::Unavailable));
    proxy.set(Network::Good);
    store.start().await.expect("started");
    check_back(&store).await;
}
