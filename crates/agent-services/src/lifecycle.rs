//! The lifecycle of every service: start, stop, and health.

mod database;
mod started;

use std::fmt;

use async_trait::async_trait;

use crate::Result;

/// A service that can be started and stopped.
///
/// # Contract
/// 1. `start` makes the service ready; starting a started service changes nothing.
/// 2. `health` asks the backend, and is `Ok` exactly if it answers and accepts writes; after `stop` it is an error. It
///    changes nothing. A service that was opened only for reading need not accept writes.
/// 3. `stop` waits for writes that were acknowledged or are in progress, and releases the service's resources; stopping a
///    stopped service changes nothing.
/// 4. A call after `stop`, or before the `start` of a service that has something to open, is
///    [`Unavailable`](crate::ErrorKind::Unavailable), never a panic.
///
/// # Concurrency and cancellation
/// Every call may come from any task at any time. A dropped `stop` continues in the background.
#[async_trait]
pub trait Service: fmt::Debug + Send + Sync + 'static {
    /// Makes the service ready for work.
    async fn start(&self) -> Result<()>;

    /// Stops the service.
    async fn stop(&self) -> Result<()>;

    /// Checks whether the backend works.
    ///
    /// # Errors
    /// The error that a small write would get, with its [`write_fault`](crate::Error::write_fault) if the backend is full
    /// or read-only.
    async fn health(&self) -> Result<()>;

    /// The service's database, if other services in it can be changed in the same step.
    fn database(&self) -> Option<DatabaseId> {
        None
    }
}

pub use database::DatabaseId;
pub(crate) use started::Started;

/// Gives a store the lifecycle of one of its fields.
macro_rules! lifecycle_of {
    ($store:ident.$field:ident) => {
        #[async_trait::async_trait]
        impl $crate::Service for $store {
            async fn start(&self) -> $crate::Result<()> {
                self.$field.start().await
            }

            async fn stop(&self) -> $crate::Result<()> {
                self.$field.stop().await
            }

            async fn health(&self) -> $crate::Result<()> {
                self.$field.health().await
            }

            fn database(&self) -> Option<$crate::DatabaseId> {
                self.$field.database()
            }
        }
    };
}

pub(crate) use lifecycle_of;
