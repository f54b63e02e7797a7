//! The client that the stores share: it connects when needed, and retries calls that are safe to repeat.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ::redis::{Cmd, FromRedisValue, RedisError, RedisResult, Value};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::config::RedisConfig;
use super::failure::{self, Fault};
use super::keys::{Keys, LAYOUT};
use super::link::{self, Link, Node};
use super::script::Request;
use super::servers::Servers;
use crate::Result;
use crate::retry::Backoff;

/// How often a command that was certainly not executed is retried.
const MAX_REFUSALS: u32 = 6;

/// The first delay before a retry, and the longest.
const DELAYS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(320));

/// Whether a command may be repeated if it may have been executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Safe: executing it twice has the same result.
    Safe,
    /// Not safe to repeat.
    Never,
}

/// A Redis client that stores share. Its clones share one connection.
///
/// It connects on first use, and again when the connection breaks, is silent for too long, or leads to a
/// server that is no longer the master. The connection is closed when the last store that uses it stops.
///
/// # Concurrency and cancellation
/// Any number of calls may be in flight concurrently, in tasks of one runtime.
#[derive(Clone, Debug)]
pub struct RedisClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: RedisConfig,
    keys: Keys,
    link: Mutex<Option<Arc<Link>>>,
    /// Held while connecting, so that one call connects for all of them.
    connecting: tokio::sync::Mutex<()>,
    /// The number of started stores.
    users: AtomicUsize,
    /// Whether the settings of Redis have been checked for possible losses.
    has_warned: AtomicBool,
}

impl RedisClient {
    /// A client that is not yet connected.
    pub fn new(config: RedisConfig) -> Self {
        RedisClient(Arc::new(Inner {
            keys: Keys::new(&config.prefix),
            config,
            link: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            users: AtomicUsize::default(),
            has_warned: AtomicBool::default(),
        }))
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(super) fn servers(&self) -> &Servers {
        &self.0.config.servers
    }

    /// Whether this is the first call.
    pub(super) fn is_first_to_warn(&self) -> bool {
        !self.0.has_warned.swap(true, Ordering::Relaxed)
    }

    /// A separate connection for subscriptions; `take` receives what the server pushes.
    pub(super) async fn listen(
        &self,
        take: impl Fn(::redis::PushInfo) + Clone + Send + Sync + 'static,
    ) -> RedisResult<::redis::aio::MultiplexedConnection> {
        link::listen(&self.0.config, take).await
    }

    /// Keeps the connection open for a store.
    pub(super) fn lease(&self) -> Lease {
        self.0.users.fetch_add(1, Ordering::SeqCst);
        Lease(self.clone())
    }

    /// Whether the stores are only read.
    pub(super) fn is_read_only(&self) -> bool {
        self.0.config.is_read_only
    }

    /// The servers that together have all keys: one, or the masters of a cluster.
    pub(super) async fn masters(&self, operation: &'static str) -> Result<Vec<Node>> {
        let config = &self.0.config;
        let masters = async { self.0.link().await?.masters().await };
        let most = config.connect_timeout.saturating_add(config.response_timeout);
        let found = timeout(most, masters).await.unwrap_or_else(|_| Err(elapsed()));
        found.map_err(|error| failure::error(operation, &config.servers, error))
    }

    /// Sends a command, which changes nothing, to one of the [`Self::masters`].
    pub(super) async fn ask_master<T: FromRedisValue>(
        &self,
        operation: &'static str,
        node: &Node,
        command: Cmd,
    ) -> Result<T> {
        let config = &self.0.config;
        let answer = async { self.0.link().await?.send_to(node, &command).await };
        let most = config.connect_timeout.saturating_add(config.response_timeout);
        let answer = timeout(most, answer).await.unwrap_or_else(|_| Err(elapsed()));
        let value = answer.map_err(|error| failure::error(operation, &config.servers, error))?;
        T::from_redis_value(value).map_err(|error| failure::foreign(operation).with_source(error))
    }

    /// Whether all required servers reply.
    pub(super) async fn ping(&self, operation: &'static str) -> Result<()> {
        self.ask::<Value>(operation, ::redis::cmd("PING"), Repeat::Safe).await.map(drop)
    }

    /// Whether a write would be accepted. Nothing is written, because the key exists, but Redis rejects the command like
    /// any other write when it is full or read-only. In a cluster, this asks one node.
    pub(super) async fn try_to_write(&self, operation: &'static str) -> Result<()> {
        let mut command = ::redis::cmd("SET");
        command.arg(self.keys().layout()).arg(LAYOUT).arg("NX");
        self.ask::<Value>(operation, command, Repeat::Safe).await.map(drop)
    }

    /// Sends a request and reads its answer, in the time that the configuration allows.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        operation: &'static str,
        request: impl Into<Request>,
        repeat: Repeat,
    ) -> Result<T> {
        let request = request.into();
        let config = &self.0.config;
        let most = config.connect_timeout.saturating_add(config.response_timeout);
        let answer = timeout(most, self.0.answer(&request, repeat)).await;
        let value = answer
            .unwrap_or_else(|_| Err(elapsed()))
            .map_err(|error| failure::error(operation, &config.servers, error))?;
        T::from_redis_value(value).map_err(|error| failure::foreign(operation).with_source(error))
    }
}

impl Inner {
    async fn answer(&self, request: &Request, repeat: Repeat) -> RedisResult<Value> {
        let mut command = request.command(false);
        let mut asked = None;
        let mut may_repeat = repeat == Repeat::Safe;
        let mut refusals = 0;
        let mut backoff = Backoff::new(DELAYS.0, DELAYS.1);
        loop {
            let link = self.link().await?;
            let error = match self.send(&link, asked.take(), &command).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match Fault::of(&error) {
                Fault::NoScript => command = request.command(true),
                Fault::Lost if may_repeat => {
                    self.discard(&link);
                    may_repeat = false;
                }
                Fault::Lost | Fault::TimedOut => {
                    self.discard(&link);
                    return Err(error);
                }
                // A standalone server has no alternative.
                Fault::Asked(_) | Fault::Elsewhere if !self.config.servers.is_cluster() => return Err(error),
                Fault::Asked(address) if refusals < MAX_REFUSALS => {
                    asked = Some(address);
                    refusals += 1;
                }
                fault @ (Fault::Elsewhere | Fault::ReadOnly) if refusals < MAX_REFUSALS => {
                    if fault == Fault::ReadOnly {
                        self.discard(&link);
                    }
                    backoff.wait().await;
                    refusals += 1;
                }
                Fault::Asked(_) | Fault::Elsewhere | Fault::ReadOnly | Fault::Refused => return Err(error),
            }
        }
    }

    async fn send(&self, link: &Link, asked: Option<String>, command: &Cmd) -> RedisResult<Value> {
        let answer = async {
            match asked {
                Some(address) => link.send_asking(&address, command).await,
                None => link.send(command).await,
            }
        };
        timeout(self.config.response_timeout, answer).await.unwrap_or_else(|_| Err(elapsed()))
    }

    /// The connection, created if necessary.
    async fn link(&self) -> RedisResult<Arc<Link>> {
        if let Some(link) = self.present() {
            return Ok(link);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(link) = self.present() {
            return Ok(link);
        }
        let attempt = timeout(self.config.connect_timeout, Link::connect(&self.config)).await;
        let link = Arc::new(attempt.unwrap_or_else(|_| Err(elapsed()))?);
        *self.link.lock() = Some(Arc::clone(&link));
        Ok(link)
    }

    fn present(&self) -> Option<Arc<Link>> {
        self.link.lock().as_ref().filter(|link| !link.is_lost()).cloned()
    }

    /// Makes the next call reconnect, unless that has already happened.
    fn discard(&self, link: &Arc<Link>) {
        let mut present = self.link.lock();
        if present.as_ref().is_some_and(|present| Arc::ptr_eq(present, link)) {
            *present = None;
        }
    }
}

fn elapsed() -> RedisError {
    RedisError::from(io::Error::from(io::ErrorKind::TimedOut))
}

/// Registers a store's use of the connection. The last store closes it; calls in flight still get their replies.
#[derive(Debug)]
pub(super) struct Lease(RedisClient);

impl Drop for Lease {
    fn drop(&mut self) {
        let Lease(RedisClient(inner)) = self;
        if inner.users.fetch_sub(1, Ordering::SeqCst) == 1 {
            *inner.link.lock() = None;
        }
    }
}
