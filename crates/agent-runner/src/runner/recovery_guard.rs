//! Guards against a run that is assigned to this process but never executed because the store's reply was lost.

use agent_schemas::RunId;
use agent_services::retry::Backoff;

use super::Runner;
use crate::live::LogEnd;

/// A call to the store that may assign a run to this process. Unless its reply arrives, the run is recovered: the caller
/// may be gone, and the store may be unavailable.
pub(super) struct OrphanGuard<'a> {
    runner: &'a Runner,
    id: Option<&'a RunId>,
}

impl OrphanGuard<'_> {
    /// Checks the reply. If it leaves open whether the call was executed, the run is recovered.
    pub(super) fn resolve<T>(mut self, answer: agent_services::Result<T>) -> agent_services::Result<T> {
        if !answer.as_ref().is_err_and(agent_services::Error::is_retryable) {
            self.id = None;
        }
        answer
    }
}

impl Drop for OrphanGuard<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.runner.recover_later(id.clone());
        }
    }
}

/// Held while a run is recovered, so that only one recovery is in progress at a time.
pub(super) struct RecoveryGuard<'a> {
    runner: &'a Runner,
    id: &'a RunId,
}

impl Drop for RecoveryGuard<'_> {
    fn drop(&mut self) {
        self.runner.0.recovering.lock().remove(self.id);
    }
}

impl Runner {
    /// Guards a call that is about to be made.
    pub(super) fn orphan_guard<'a>(&'a self, id: &'a RunId) -> OrphanGuard<'a> {
        OrphanGuard { runner: self, id: Some(id) }
    }

    /// Locks the recovery of a run; `None` if the run is already being recovered, or is executed here.
    pub(super) fn recovery_guard<'a>(&'a self, id: &'a RunId) -> Option<RecoveryGuard<'a>> {
        let is_executed = self.live(id).is_some_and(|live| live.tail.end() != Some(LogEnd::Lost));
        (!is_executed && self.0.recovering.lock().insert(id.clone()))
            .then(|| RecoveryGuard { runner: self, id })
    }

    /// Retries a call while the store is unavailable, unless this process is shutting down.
    pub(super) async fn patiently<T, F>(
        &self,
        id: &RunId,
        mut call: impl FnMut() -> F,
    ) -> agent_services::Result<T>
    where
        F: Future<Output = agent_services::Result<T>>,
    {
        let mut backoff = Backoff::default();
        loop {
            match call().await {
                Err(error) if error.is_retryable() && !self.0.stop.is_cancelled() => {
                    tracing::warn!(run.id = %id, error = %error, "the run store is unavailable; retrying before a run starts");
                    tokio::select! {
                        () = backoff.wait() => {}
                        () = self.0.stop.cancelled() => {}
                    }
                }
                done => return done,
            }
        }
    }
}
