//! A master, a replica and a sentinel.

use std::collections::HashMap;
use std::time::Duration;

use ::redis::Value;
use agent_services::redis::{RedisClient, RedisSessionStore};
use agent_services::session::SessionStore;
use agent_services::{ErrorKind, StoreContext};

use super::server::Server;
use super::{admin, chain, client, config, eventually, keyed, session, started, texts, try_admin, user};

/// A single sentinel, which is a quorum by itself.
fn sentinel(master: u16) -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sentinel.conf");
    let text = format!(
        "sentinel monitor mymaster 127.0.0.1 {master} 1\nsentinel down-after-milliseconds mymaster 500\n\
         sentinel failover-timeout mymaster 2000\n"
    );
    std::fs::write(&file, text).expect("written");
    Server::start_in(folder, &[file.to_str().expect("a plain path"), "--sentinel"], false)
}

/// Waits until the replica has all data of the master.
async fn wait_for_replica(master: &Server) {
    let master = admin(&master.url()).await;
    eventually("the replica is in step", || {
        let mut master = master.clone();
        async move {
            // Redis waits for the writes of this connection, which come after all other writes.
            let mut both = ::redis::pipe();
            both.cmd("INCR").arg("replicated").ignore().cmd("WAIT").arg(1).arg(100);
            let (count,): (i64,) = both.query_async(&mut master).await.expect("asked");
            count == 1
        }
    })
    .await;
}

/// A master with a synchronized replica, and a sentinel that knows them.
async fn start() -> (Server, Server, Server) {
    let master = Server::start(&[]);
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
    wait_for_replica(&master).await;
    let sentinel = sentinel(master.port);
    let at_sentinel = admin(&sentinel.url()).await;
    eventually("the sentinel knows the replica", || {
        let mut at_sentinel = at_sentinel.clone();
        async move {
            let mut ask = ::redis::cmd("SENTINEL");
            ask.arg("REPLICAS").arg("mymaster");
            let replicas: Vec<HashMap<String, String>> =
                ask.query_async(&mut at_sentinel).await.expect("asked");
            replicas.iter().any(|replica| replica["master-link-status"] == "ok")
        }
    })
    .await;
    (master, replica, sentinel)
}

async fn has_role(server: &Server, wanted: &str) -> bool {
    // A server closes all connections when its role changes.
    let role = async {
        let mut connection = try_admin(&server.url()).await?;
        ::redis::cmd("ROLE").query_async::<Value>(&mut connection).await
    };
    role.await.is_ok_and(|role| format!("{role:?}").contains(wanted))
}

/// Appends with a key until it is acknowledged.
async fn append(store: &RedisSessionStore, text: &str) {
    eventually("there is a master", || async {
        match store.append(&user("u"), &session("s"), keyed(text, &[text])).await {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", chain(&error));
                false
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failover__new_master__is_found() {
    let (mut master, _replica, sentinel) = start().await;
    // The first sentinel may be missing.
    let url = format!("redis-sentinel://127.0.0.1:1,127.0.0.1:{}/mymaster", sentinel.port);
    let config = config(&url).with_timeouts(Duration::from_secs(2), Duration::from_secs(2));
    let store = started(RedisSessionStore::new(RedisClient::new(config), StoreContext::default())).await;
    append(&store, "a").await;
    wait_for_replica(&master).await;
    master.kill();
    append(&store, "b").await;
    assert_eq!(texts(&store, "u", "s").await, ["a", "b"]);
}

/// A planned change of roles: the old master becomes a replica, which rejects writes.
#[tokio::test(flavor = "multi_thread")]
async fn failover__old_master_as_replica__is_left() {
    let (master, replica, sentinel) = start().await;
    let url = format!("redis-sentinel://127.0.0.1:{}/mymaster", sentinel.port);
    let store = started(RedisSessionStore::new(client(&url), StoreContext::default())).await;
    append(&store, "a").await;
    let mut ask = ::redis::cmd("SENTINEL");
    ask.arg("FAILOVER").arg("mymaster").exec_async(&mut admin(&sentinel.url()).await).await.expect("begun");
    eventually("the roles have changed", || async {
        append(&store, "meanwhile").await;
        // For a moment there are two masters, and writes to the old one are lost.
        has_role(&replica, "master").await && has_role(&master, "slave").await
    })
    .await;
    append(&store, "after").await;
    let found = texts(&store, "u", "s").await;
    assert_eq!(found.last().map(String::as_str), Some("after"), "{found:?}");
}
