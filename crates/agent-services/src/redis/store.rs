//! The common part of the stores in Redis: client, lifecycle, and reading stored values.

use std::str::FromStr;
use std::time::Duration;

use ::redis::FromRedisValue;
use parking_lot::RwLock;
use serde::de::DeserializeOwned;
use tokio_util::task::TaskTracker;

use super::client::{Lease, RedisClient, Repeat};
use super::failure::foreign;
use super::keys::Keys;
use super::script::Request;
use crate::context::StoreContext;
use crate::limits::check_ids;
use crate::{Error, ErrorKind, Result};

/// Replies of at least this size are cut, and the rest is read in further replies.
pub(super) const LARGE_ANSWER: usize = 4 << 20;

/// How much is deleted or listed in one step, so that no step keeps the server busy for long.
pub(super) const STEP: usize = 100;

/// The common state of a store.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) context: StoreContext,
    client: RedisClient,
    ttl: Option<Duration>,
    running: RwLock<Option<Running>>,
}

/// A started store.
#[derive(Debug)]
struct Running {
    calls: TaskTracker,
    _lease: Lease,
}

impl Backend {
    pub(super) fn new(client: RedisClient, context: StoreContext) -> Self {
        Backend { context, client, ttl: None, running: RwLock::default() }
    }

    pub(super) fn set_ttl(&mut self, ttl: Duration) {
        self.ttl = Some(ttl);
    }

    /// The time to live after use, in milliseconds; 0 means forever.
    pub(super) fn ttl_ms(&self) -> u64 {
        self.ttl.map_or(0, |ttl| millis(ttl).max(1))
    }

    pub(super) fn keys(&self) -> &Keys {
        self.client.keys()
    }

    pub(super) fn is_cluster(&self) -> bool {
        self.client.servers().is_cluster()
    }

    pub(super) async fn start(&self) -> Result<()> {
        if self.running.read().is_some() {
            return Ok(());
        }
        let lease = self.client.lease();
        self.client.open_layout("start").await?;
        self.client.warn_of_losses("start").await;
        self.running.write().get_or_insert_with(|| Running { calls: TaskTracker::new(), _lease: lease });
        Ok(())
    }

    /// Rejects further calls and waits for those in flight.
    pub(super) async fn stop(&self) -> Result<()> {
        let Some(running) = self.running.write().take() else { return Ok(()) };
        running.calls.close();
        running.calls.wait().await;
        Ok(())
    }

    pub(super) async fn health(&self) -> Result<()> {
        const OPERATION: &str = "check the store's health";
        let _call = self.begin(OPERATION, &[])?;
        self.client.ping(OPERATION).await?;
        self.client.try_to_write(OPERATION).await
    }

    /// Begins a call; `stop` waits for it as long as the result exists.
    pub(super) fn begin(&self, operation: &'static str, ids: &[&str]) -> Result<impl Sized + Send + use<>> {
        let call = match &*self.running.read() {
            Some(running) => running.calls.token(),
            None => return Err(Error::new(ErrorKind::Unavailable, operation, "the service is not started")),
        };
        check_ids(operation, ids.iter().copied())?;
        Ok(call)
    }

    /// Sends a request that is safe to repeat.
    pub(super) async fn repeatable<T: FromRedisValue>(
        &self,
        operation: &'static str,
        request: impl Into<Request>,
    ) -> Result<T> {
        self.client.ask(operation, request, Repeat::Safe).await
    }

    /// Sends a request that must not be executed twice.
    pub(super) async fn once<T: FromRedisValue>(
        &self,
        operation: &'static str,
        request: impl Into<Request>,
    ) -> Result<T> {
        self.client.ask(operation, request, Repeat::Never).await
    }
}

/// The value of a stored JSON text.
pub(super) fn decode<T: DeserializeOwned>(operation: &'static str, json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| foreign(operation).with_source(error))
}

/// A stored text.
pub(super) fn text(operation: &'static str, bytes: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(bytes).map_err(|error| foreign(operation).with_source(error))?;
    Ok(text.to_owned())
}

/// A number stored as digits.
pub(super) fn number<T: FromStr>(operation: &'static str, bytes: &[u8]) -> Result<T> {
    std::str::from_utf8(bytes).ok().and_then(|digits| digits.parse().ok()).ok_or_else(|| foreign(operation))
}

/// A time in milliseconds that a script can represent.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).min(MAX_TTL_MS)
}

/// A thousand years: with the current time, it is still an integer that a script can represent.
const MAX_TTL_MS: u64 = 1000 * 366 * 24 * 60 * 60 * 1000;

/// Implements [`Service`](crate::Service) for a backend.
macro_rules! service {
    ($store:ident) => {
        #[async_trait::async_trait]
        impl crate::Service for $store {
            async fn start(&self) -> crate::Result<()> {
                self.backend.start().await
            }

            async fn stop(&self) -> crate::Result<()> {
                self.backend.stop().await
            }

            async fn health(&self) -> crate::Result<()> {
                self.backend.health().await
            }
        }
    };
}
pub(super) use service;
