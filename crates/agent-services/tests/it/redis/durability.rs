//! The warnings at the start about data that Redis may lose.

use std::io;
use std::sync::Arc;

use agent_services::redis::{RedisClient, RedisSessionStore, RedisStateStore, SecretString};
use agent_services::{Service, StoreContext};
use parking_lot::Mutex;
use tracing::Level;

use super::cluster::Cluster;
use super::server::Server;
use super::{client, config};

/// The lines of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log, from `level` on, while two stores of a client start. The tests here have one thread each, so that all lines come
/// from their own stores.
async fn logged(client: RedisClient, level: Level) -> Vec<String> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_ansi(false);
    let subscriber = subscriber.with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    RedisSessionStore::new(client.clone(), StoreContext::default()).start().await.expect("started");
    RedisStateStore::new(client, StoreContext::default()).start().await.expect("started");
    let text = String::from_utf8(log.0.lock().clone()).expect("UTF-8");
    let ours = text.lines().filter(|line| line.contains("agent_services"));
    ours.map(str::to_owned).collect()
}

async fn check_warning(url: &str, words: &[&str]) {
    let lines = logged(client(url), Level::WARN).await;
    let [line] = &lines[..] else { panic!("not one line: {lines:?}") };
    for words in words {
        assert!(line.contains(words), "{words}: {line}");
    }
}

#[tokio::test]
async fn start__lossy_redis__warns_once() {
    let volatile = Server::start(&["--maxmemory-policy", "allkeys-lru"]);
    check_warning(&volatile.url(), &["a restart of Redis loses everything", "; Redis evicts data"]).await;
    let relaxed = Server::start(&["--appendonly", "yes"]);
    check_warning(&relaxed.url(), &[&relaxed.port.to_string(), "up to about a second"]).await;
}

#[tokio::test]
async fn start__durable_redis__logs_nothing() {
    let server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    assert_eq!(logged(client(&server.url()), Level::INFO).await, [""; 0]);
}

#[tokio::test]
async fn start__unreadable_settings__does_not_warn() {
    let user = ["--user", "app", "on", ">secret", "~*", "&*", "+@all", "-config"];
    let server = Server::start(&user);
    let config = config(&server.url()).with_login("app", &SecretString::from("secret"));
    let lines = logged(RedisClient::new(config), Level::INFO).await;
    let [line] = &lines[..] else { panic!("not one line: {lines:?}") };
    assert!(line.contains("INFO") && line.contains("could not read the settings"), "{line}");
}

#[tokio::test]
async fn start__lossy_cluster__warns() {
    let cluster = Cluster::start(false).await;
    check_warning(&cluster.url(), &["a restart of Redis loses everything"]).await;
}
