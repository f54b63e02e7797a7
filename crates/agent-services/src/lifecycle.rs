//! What every service can do besides its own work: start, stop, and report its health.

mod database;
mod started;

use std::fmt;

use async_trait::async_trait;

use crate::Result;

/// A service that can be started and stopped.
///
/// # Contract
/// 1. `start` makes the service ready; starting a started one changes nothing.
/// 2. `health` asks the backend and is `Ok` exactly if it answers and takes writes; after `stop` it is an error. It changes
///    nothing. A service that is opened for reading only need not take writes.
/// 3. `stop` waits for the writes that were acknowledged or are under way, and gives back what the service holds;
///    stopping a stopped one changes nothing.
/// 4. Work after `stop`, or before the `start` of a service that has something to open, is
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

    /// Asks the backend whether it works.
    ///
    /// # Errors
    /// The error that a small write would get, with its [`write_fault`](crate::Error::write_fault) if the backend is full or
    /// read-only.
    async fn health(&self) -> Result<()>;

    /// The database that the service is kept in, if other services there can be changed in the same step.
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
