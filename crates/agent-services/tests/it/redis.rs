//! The Redis stores, against servers that the tests start and stop.

mod answers;
mod cluster;
mod durability;
mod expiry;
mod foreign;
mod layout;
mod login;
mod outage;
mod proxy;
mod runs;
mod sentinel;
mod server;
mod suites;

use std::error::Error as _;
use std::future::Future;
use std::process::id;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, RedisResult};
use agent_schemas::{Message, SessionId, UserId};
use agent_services::redis::{RedisClient, RedisConfig};
use agent_services::session::{MessageBatch, SessionStore};
use agent_services::{Error, Service};

/// How long a condition may take to become true.
const DEADLINE: Duration = Duration::from_secs(60);

fn user(id: &str) -> UserId {
    UserId::new(id)
}

fn session(id: &str) -> SessionId {
    SessionId::new(id)
}

fn batch(texts: &[&str]) -> MessageBatch {
    MessageBatch::of(&texts.iter().map(|text| Message::user(*text)).collect::<Vec<_>>()).expect("JSON")
}

fn keyed(key: &str, texts: &[&str]) -> MessageBatch {
    MessageBatch { key: Some(key.to_owned()), ..batch(texts) }
}

/// A unique prefix.
fn fresh_prefix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}-{}", id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A configuration with a unique prefix, and with timeouts for a busy machine.
fn config(url: &str) -> RedisConfig {
    let config = RedisConfig::new(url).expect("a URL");
    let config = config.with_prefix(&fresh_prefix()).expect("a prefix");
    config.with_timeouts(Duration::from_secs(20), Duration::from_secs(20))
}

fn client(url: &str) -> RedisClient {
    RedisClient::new(config(url))
}

/// A client of the shared server, for the tests of all backends.
pub(crate) async fn shared_client() -> RedisClient {
    client(&server::shared().await)
}

/// A URL of the shared server, with a unique prefix.
pub(crate) async fn shared_url() -> String {
    format!("{}?prefix={}", server::shared().await, fresh_prefix())
}

/// A client with this prefix.
fn client_with_prefix(url: &str, prefix: &str) -> RedisClient {
    RedisClient::new(config(url).with_prefix(prefix).expect("a prefix"))
}

/// A connection that bypasses the stores.
async fn admin(url: &str) -> MultiplexedConnection {
    try_admin(url).await.expect("connected")
}

async fn try_admin(url: &str) -> RedisResult<MultiplexedConnection> {
    let patient = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(20)))
        .set_response_timeout(Some(Duration::from_secs(20)));
    Client::open(url)?.get_multiplexed_async_connection_with_config(&patient).await
}

async fn started<T: Service>(store: T) -> T {
    store.start().await.expect("started");
    store
}

/// Waits until a condition is true.
async fn eventually<F: Future<Output = bool>>(what: &str, mut is_true: impl FnMut() -> F) {
    let start = Instant::now();
    while !is_true().await {
        assert!(start.elapsed() < DEADLINE, "it takes too long until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An error and its causes, as a log would show them.
fn chain(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(" {cause} {cause:?}");
        source = cause.source();
    }
    text
}

/// The texts of a session, in order.
async fn texts(store: &dyn SessionStore, u: &str, s: &str) -> Vec<String> {
    let size = agent_services::page::PageSize::new(1000).expect("a size");
    let mut texts = Vec::new();
    loop {
        let page = store.messages(&user(u), &session(s), texts.len() as u64, size).await.expect("readable");
        let page = page.unwrap_or_default();
        if page.is_empty() {
            return texts;
        }
        texts.extend(page.iter().map(|stored| stored.message.full_text()));
    }
}
