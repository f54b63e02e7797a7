//! This process's lease on its runs, as far as the process knows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agent_schemas::RunId;
use agent_services::ErrorKind;
use agent_services::retry::Backoff;
use agent_services::run::FencingToken;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::Runner;

/// What the process knows about its lease. The store measures from the arrival of a renewal, and the process from
/// sending it, so a lease that is held here is live there.
#[derive(Debug, Default)]
pub(super) struct Lease {
    until: Mutex<Option<Instant>>,
    /// Whether the process is about to end and no longer renews the lease.
    is_released: AtomicBool,
}

impl Lease {
    /// Whether the store has confirmed the lease and it has not expired since.
    pub(super) fn is_held(&self) -> bool {
        self.until.lock().is_some_and(|until| Instant::now() < until)
    }

    /// Whether the process is about to end.
    pub(super) fn is_released(&self) -> bool {
        self.is_released.load(Ordering::SeqCst)
    }

    fn note_renewed(&self, asked: Instant, length: Duration) {
        *self.until.lock() = asked.checked_add(length);
    }

    fn note_lost(&self) {
        *self.until.lock() = None;
    }
}

impl Runner {
    /// Renews the lease.
    pub(super) async fn renew_lease(&self) -> agent_services::Result<()> {
        let (inner, asked) = (&*self.0, Instant::now());
        inner.services.runs.heartbeat(&inner.owner, inner.limits.lease).await?;
        inner.lease.note_renewed(asked, inner.limits.lease);
        Ok(())
    }

    /// Renews the lease if it may have expired, as after a pause of the process or an outage of the store.
    pub(super) async fn hold_lease(&self) -> agent_services::Result<()> {
        if self.0.lease.is_held() { Ok(()) } else { self.renew_lease().await }
    }

    /// Releases this process's lease, so that others can take over its runs at once.
    ///
    /// # Errors
    /// The store's.
    pub async fn release_lease(&self) -> agent_services::Result<()> {
        self.0.lease.is_released.store(true, Ordering::SeqCst);
        self.0.services.runs.release_lease(&self.0.owner).await
    }

    /// Takes over a run if it is an orphan or belongs to this process. The store requires a live lease, so
    /// without one this waits. `None` as well once the lease is released.
    pub(super) async fn take_over(&self, id: &RunId) -> agent_services::Result<Option<FencingToken>> {
        let (inner, mut backoff) = (&*self.0, Backoff::default());
        loop {
            if inner.lease.is_released() {
                return Ok(None);
            }
            self.patiently(id, || self.hold_lease()).await?;
            match self.patiently(id, || inner.services.runs.take_over(id, &inner.owner)).await {
                // The lease was lost in the meantime.
                Err(error) if error.kind() == ErrorKind::Conflict && !inner.stop.is_cancelled() => {
                    tracing::debug!(run.id = %id, error = %error, "cannot take over a run before this process has renewed its lease");
                    inner.lease.note_lost();
                    backoff.wait().await;
                }
                done => return done,
            }
        }
    }
}
