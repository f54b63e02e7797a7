//! The behavior of the stores with unexpected data of other programs or newer versions, and with a full server.

use ::redis::aio::MultiplexedConnection;
use agent_schemas::{Json, Message};
use agent_services::memory::{MemoryQuery, MemoryStore};
use agent_services::redis::{RedisClient, RedisMemoryStore, RedisSessionStore, RedisStateStore};
use agent_services::session::{SessionChange, SessionStore};
use agent_services::state::StateStore;
use agent_services::{Error, ErrorKind, Service, StoreContext, WriteFault};

use super::server::{Server, shared};
use super::{admin, batch, chain, client, client_with_prefix, fresh_prefix, session, started, texts, user};

struct Stores {
    sessions: RedisSessionStore,
    states: RedisStateStore,
    memories: RedisMemoryStore,
}

async fn stores(client: RedisClient) -> Stores {
    Stores {
        sessions: started(RedisSessionStore::new(client.clone(), StoreContext::default())).await,
        states: started(RedisStateStore::new(client.clone(), StoreContext::default())).await,
        memories: started(RedisMemoryStore::new(client, StoreContext::default())).await,
    }
}

fn check_foreign<T>(what: &str, result: Result<T, Error>) {
    let error = result.map(drop).expect_err(what);
    assert_eq!(error.kind(), ErrorKind::Unexpected, "{what}: {}", chain(&error));
    assert!(error.to_string().contains("another prefix"), "{what}: {error}");
}

/// All keys of a prefix and their values.
async fn dump(admin: &mut MultiplexedConnection, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let mut keys: Vec<String> =
        ::redis::cmd("KEYS").arg(format!("{prefix}:*")).query_async(admin).await.expect("keys");
    keys.sort();
    let mut dump = Vec::new();
    for key in keys {
        let value = ::redis::cmd("DUMP").arg(&key).query_async(admin).await.expect("dumped");
        dump.push((key, value));
    }
    dump
}

/// Keys of another type are never read or written, not even in part.
#[tokio::test(flavor = "multi_thread")]
async fn keys__other_type__are_left_alone() {
    let url = shared().await;
    let mut admin = admin(&url).await;
    let (u, s) = (user("u"), session("s"));
    for key in ["session:s", "sessions", "sessions:expiry", "sessions:last"] {
        let prefix = fresh_prefix();
        let store = stores(client_with_prefix(&url, &prefix)).await.sessions;
        let key = format!("{prefix}:v2:default:{{u}}:{key}");
        ::redis::cmd("RPUSH").arg(&key).arg("foreign").exec_async(&mut admin).await.expect("set");
        let before = dump(&mut admin, &prefix).await;
        check_foreign(&key, store.create(&u, Some(&s)).await);
        check_foreign(&key, store.append(&u, &s, batch(&["a"])).await);
        if key.ends_with(":s") {
            check_foreign(&key, store.get(&u, &s).await);
            check_foreign(&key, store.messages(&u, &s, 0, Default::default()).await);
            check_foreign(&key, store.change(&u, &s, SessionChange::default()).await);
        }
        if !key.ends_with("last") {
            check_foreign(&key, store.delete(&u, &s).await);
        }
        if key.ends_with("sessions") {
            check_foreign(&key, store.list(&u, None, Default::default()).await);
            check_foreign(&key, store.delete_user(&u).await);
        }
        assert_eq!(dump(&mut admin, &prefix).await, before);
    }
    for key in ["states:s:rounds", "states:s:values", "states"] {
        let prefix = fresh_prefix();
        let store = stores(client_with_prefix(&url, &prefix)).await.states;
        let key = format!("{prefix}:v2:default:{{u}}:{key}");
        ::redis::cmd("RPUSH").arg(&key).arg("foreign").exec_async(&mut admin).await.expect("set");
        let before = dump(&mut admin, &prefix).await;
        check_foreign(&key, store.save(&u, &s, None, &Json::Null).await);
        check_foreign(&key, store.delete_round(&u, &s, 1).await);
        check_foreign(&key, store.delete_session(&u, &s).await);
        if key.ends_with("rounds") {
            check_foreign(&key, store.export(&u, &s, None).await);
            check_foreign(&key, store.rounds(&u, &s, None, Default::default()).await);
        }
        assert_eq!(dump(&mut admin, &prefix).await, before);
    }
    for key in ["memories", "memories:words", "memories:numbers", "memories:sessions", "memories:last"] {
        let prefix = fresh_prefix();
        let store = stores(client_with_prefix(&url, &prefix)).await.memories;
        let key = format!("{prefix}:v2:default:{{u}}:{key}");
        ::redis::cmd("RPUSH").arg(&key).arg("foreign").exec_async(&mut admin).await.expect("set");
        let before = dump(&mut admin, &prefix).await;
        check_foreign(&key, store.add(&u, &s, vec![Message::user("a")]).await);
        check_foreign(&key, store.delete(&u, 1).await);
        check_foreign(&key, store.delete_user(&u).await);
        if !key.ends_with("numbers") && !key.ends_with("sessions") {
            check_foreign(&key, store.search(&u, &MemoryQuery::new("a")).await);
        }
        assert_eq!(dump(&mut admin, &prefix).await, before);
    }
}

/// Data of the right type that no store has written.
#[tokio::test(flavor = "multi_thread")]
async fn keys__other_format__are_reported() {
    let url = shared().await;
    let mut admin = admin(&url).await;
    let prefix = fresh_prefix();
    let stores = stores(client_with_prefix(&url, &prefix)).await;
    let (u, s) = (user("u"), session("s"));
    let key = |kind: &str| format!("{prefix}:v2:default:{{u}}:{kind}");
    let mut set = async |command: &str, arguments: &[&str]| {
        ::redis::cmd(command).arg(arguments).exec_async(&mut admin).await.expect("set");
    };

    set("HSET", &[&key("session:s"), "foreign", "x"]).await;
    check_foreign("a hash of others", stores.sessions.get(&u, &s).await);
    check_foreign("a hash of others", stores.sessions.append(&u, &s, batch(&["a"])).await);
    check_foreign("a hash of others", stores.sessions.delete(&u, &s).await);
    let t = session("t");
    stores.sessions.append(&u, &t, batch(&["a", "b"])).await.expect("appended");
    for (command, arguments) in [("HSET", &["m:1", "no JSON"][..]), ("HDEL", &["m:1"])] {
        set(command, &[&[key("session:t").as_str()], arguments].concat()).await;
        let read =
            stores.sessions.messages(&u, &t, 0, Default::default()).await.expect("read").expect("there");
        let codes: Vec<_> = read.iter().map(|stored| stored.message.code.as_deref()).collect();
        assert_eq!(codes, [None, Some("MESSAGE_DAMAGED")], "the others are read");
    }
    stores.sessions.append(&u, &session("whole"), batch(&["a"])).await.expect("appended");
    set("HSET", &[&key("session:t"), "created", "yesterday", "metadata", "no JSON"]).await;
    set("ZADD", &[&key("sessions"), "7", "s"]).await;
    let listed = stores.sessions.list(&u, None, Default::default()).await.expect("listed").items;
    let ids: Vec<_> = listed.iter().map(|info| info.id.as_str()).collect();
    assert_eq!(ids, ["whole", "t"], "data that is not a session is omitted");

    stores.states.save(&u, &s, None, &Json::Null).await.expect("saved");
    set("HSET", &[&key("states:s:values"), "00000000000000000001", "no JSON"]).await;
    check_foreign("an invalid state", stores.states.export(&u, &s, None).await);
    set("DEL", &[&key("states:s:values")]).await;
    check_foreign("a state is missing", stores.states.export(&u, &s, None).await);

    let number = stores.memories.add(&u, &s, vec![Message::user("apple")]).await.expect("added")[0];
    set("HSET", &[&key("memories"), &format!("m:{number:016}"), "no JSON"]).await;
    assert_eq!(stores.memories.search(&u, &MemoryQuery::new("apple")).await.expect("found").len(), 1);
    let listed = stores.memories.list(&u, None, None, Default::default()).await.expect("listed").items;
    assert_eq!(listed[0].message.code.as_deref(), Some("MESSAGE_DAMAGED"));
    set("ZADD", &[&key("memories:words"), "0", "apple\x000"]).await;
    check_foreign("an invalid posting", stores.memories.search(&u, &MemoryQuery::new("apple")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn layout__newer__is_refused() {
    let url = shared().await;
    let mut admin = admin(&url).await;
    let prefix = fresh_prefix();
    let layout = format!("{prefix}:layout");
    drop(stores(client_with_prefix(&url, &prefix)).await);
    let found: String = ::redis::cmd("GET").arg(&layout).query_async(&mut admin).await.expect("read");
    assert_eq!(found, "2", "the first one writes it");
    for (version, words) in [("3", "layout 3"), ("x", "another prefix")] {
        ::redis::cmd("SET").arg(&layout).arg(version).exec_async(&mut admin).await.expect("set");
        let store = RedisSessionStore::new(client_with_prefix(&url, &prefix), StoreContext::default());
        let error = store.start().await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Unexpected);
        assert!(error.to_string().contains(words), "{error}");
        let refused = store.get(&user("u"), &session("s")).await.map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::Unavailable), "it is not started");
    }
}

/// A full server rejects writes completely, and accepts them again when there is room.
#[tokio::test(flavor = "multi_thread")]
async fn full_server__is_a_temporary_failure() {
    let server = Server::start(&[]);
    let stores = stores(client(&server.url())).await;
    let (u, s) = (user("u"), session("s"));
    stores.sessions.append(&u, &s, batch(&["a"])).await.expect("appended");
    let mut admin = admin(&server.url()).await;
    let mut limit = async |bytes: &str| {
        let mut set = ::redis::cmd("CONFIG");
        set.arg("SET").arg("maxmemory").arg(bytes).exec_async(&mut admin).await.expect("set");
    };
    limit("1").await;
    let errors = [
        stores.sessions.append(&u, &s, batch(&["b"])).await.map(drop),
        stores.sessions.create(&u, None).await.map(drop),
        stores.states.save(&u, &s, None, &Json::Null).await.map(drop),
        stores.memories.add(&u, &s, vec![Message::user("a")]).await.map(drop),
    ];
    for error in errors {
        let error = error.expect_err("full");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", chain(&error));
        assert!(error.to_string().contains("maxmemory"), "{error}");
    }
    let services: [&dyn Service; 3] = [&stores.sessions, &stores.states, &stores.memories];
    for service in services {
        let error = service.health().await.expect_err("full");
        assert_eq!(error.write_fault(), Some(WriteFault::Full), "{}", chain(&error));
    }
    assert_eq!(texts(&stores.sessions, "u", "s").await, ["a"], "reading still works");
    assert!(
        stores.sessions.delete(&u, &session("no")).await.is_ok_and(|deleted| !deleted),
        "and so does deleting"
    );
    limit("0").await;
    for service in services {
        service.health().await.expect("there is room again");
    }
    stores.sessions.append(&u, &s, batch(&["c"])).await.expect("appended");
    assert_eq!(texts(&stores.sessions, "u", "s").await, ["a", "c"]);
    assert!(stores.memories.list(&u, None, None, Default::default()).await.expect("listed").items.is_empty());
    assert_eq!(stores.states.save(&u, &s, None, &Json::Null).await.expect("saved"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn health__server_takes_no_writes__says_so_and_recovers() {
    let server = Server::start(&[]);
    let store = started(RedisSessionStore::new(client(&server.url()), StoreContext::default())).await;
    let mut admin = admin(&server.url()).await;
    for (refusing, accepting) in [
        (["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"]),
        (["REPLICAOF", "127.0.0.1", "1", ""], ["REPLICAOF", "NO", "ONE", ""]),
    ] {
        let mut send = async |words: [&str; 4]| {
            let mut command = ::redis::Cmd::new();
            for word in words.iter().filter(|word| !word.is_empty()) {
                command.arg(*word);
            }
            command.exec_async(&mut admin).await.expect("accepted");
        };
        send(refusing).await;
        let error = store.health().await.expect_err("it rejects writes");
        assert_eq!(error.write_fault(), Some(WriteFault::ReadOnly), "{}", chain(&error));
        send(accepting).await;
        store.health().await.expect("it accepts writes again");
    }
}
