//! The child runs of a run.

use std::sync::{Arc, OnceLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// The state that a run shares with its child runs. Most runs have none, so it is created with the first.
#[derive(Debug, Default)]
pub(crate) struct Family(OnceLock<Shared>);

#[derive(Debug)]
struct Shared {
    /// The slots of all descendants of one run. A child takes one of these and not one of the process's.
    /// Otherwise, parents that wait for their children could hold all slots of the process.
    slots: Arc<Semaphore>,
    /// Fires when the run is cancelled or has ended: no child outlives its parent.
    stop: CancellationToken,
}

impl Family {
    /// The family of a run that is itself a child.
    pub(crate) fn of_child(slots: Arc<Semaphore>, cancel: &CancellationToken) -> Self {
        Family(OnceLock::from(Shared { slots, stop: cancel.child_token() }))
    }

    /// Takes a slot for a new child, with the token that stops it; `None` if all `limit` slots are taken.
    pub(crate) fn admit(
        &self,
        cancel: &CancellationToken,
        limit: usize,
    ) -> Option<(OwnedSemaphorePermit, Arc<Semaphore>, CancellationToken)> {
        let shared = self.0.get_or_init(|| Shared {
            slots: Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS))),
            stop: cancel.child_token(),
        });
        let permit = Arc::clone(&shared.slots).try_acquire_owned().ok()?;
        Some((permit, Arc::clone(&shared.slots), shared.stop.child_token()))
    }

    /// Stops the children, because the run has ended.
    pub(crate) fn stop(&self) {
        if let Some(shared) = self.0.get() {
            shared.stop.cancel();
        }
    }
}
