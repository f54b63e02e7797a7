//! What makes sure that no run is this process's without being executed: rights to execute that may have been given while
//! nobody heard the answer.

use agent_schemas::RunId;
use agent_services::retry::Backoff;

use super::Runner;
use crate::live::LogEnd;

/// A call to the store that may give this process the right to execute a run. Unless its answer is heard, the run is looked
/// after: whoever waits for it may be gone, and the store may be away.
pub(super) struct Unheard<'a> {
    runner: &'a Runner,
    id: Option<&'a RunId>,
}

impl Unheard<'_> {
    /// Takes note of the answer.
    pub(super) fn heard<T>(mut self, answer: agent_services::Result<T>) -> agent_services::Result<T> {
        if !answer.as_ref().is_err_and(agent_services::Error::is_retryable) {
            self.id = None;
        }
        answer
    }
}

impl Drop for Unheard<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.runner.recover_later(id.clone());
        }
    }
}

/// The only recovery of a run at a time.
pub(super) struct Claim<'a> {
    runner: &'a Runner,
    id: &'a RunId,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.runner.0.recovering.lock().remove(self.id);
    }
}

impl Runner {
    /// Says that the answer to a call is waited for.
    pub(super) fn unheard<'a>(&'a self, id: &'a RunId) -> Unheard<'a> {
        Unheard { runner: self, id: Some(id) }
    }

    /// Keeps others from recovering a run; `None` if one of them does so, or the run is executed here.
    pub(super) fn claim<'a>(&'a self, id: &'a RunId) -> Option<Claim<'a>> {
        let is_executed = self.live(id).is_some_and(|live| live.tail.end() != Some(LogEnd::Lost));
        (!is_executed && self.0.recovering.lock().insert(id.clone())).then(|| Claim { runner: self, id })
    }

    /// Repeats a call while the store is unavailable, unless this process is to end.
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
                    tracing::warn!(run.id = %id, error = %error, "the run store is unavailable; a run waits to be executed");
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
