//! The background work of a process: it renews its lease, receives signals for its runs, and recovers the runs of
//! dead processes.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use agent_schemas::{RunId, Status};
use agent_services::ErrorKind;
use agent_services::page::PageSize;
use agent_services::retry::Backoff;
use agent_services::run::RunRecord;
use futures_util::{StreamExt, stream};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::{Inner, Runner};
use crate::Services;

/// The first delay before a failed call to the store is retried; the longest is a fraction of the lease.
const FIRST_DELAY: Duration = Duration::from_millis(50);

/// The longest delay before the lease is renewed again after a failure.
const LONGEST_DELAY: Duration = Duration::from_secs(1);

/// How many runs are checked concurrently.
const AT_ONCE: usize = 16;

/// How often old runs are deleted.
const SWEEP: Duration = Duration::from_secs(30);

/// The background tasks of a runner. They end with it.
pub(super) struct Watch(Vec<AbortHandle>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Runner {
    /// Starts to renew the lease and to recover orphaned runs, unless this was done before. Starting a run does this
    /// too.
    ///
    /// # Errors
    /// An error of the store, if the lease cannot be created.
    ///
    /// # Cancellation
    /// If the future is dropped, nothing is started.
    pub async fn watch(&self) -> agent_services::Result<()> {
        let begin = || async {
            self.renew_lease().await?;
            Ok(Watch(vec![
                spawn(look_after(self.downgrade())),
                spawn(listen(self.downgrade())),
                spawn(sweep(self.downgrade())),
            ]))
        };
        self.0.watch.get_or_try_init(begin).await.map(drop)
    }

    /// Cancels a queued run once its client has been gone for long enough.
    pub(super) fn watch_queued(&self, record: &RunRecord) {
        let Some(grace) = record.options.cancel_after() else { return };
        let (id, inner) = (record.id.clone(), self.downgrade());
        // Not on the tracker of runs, because a drain need not wait for this task.
        spawn(async move {
            sleep(grace.max(Duration::from_secs(1))).await;
            let mut backoff = Backoff::default();
            loop {
                let Some(runner) = inner.upgrade().map(Runner) else { return };
                if runner.0.tasks.is_closed() {
                    return;
                }
                let unread_for = runner.unread_for(&id).await;
                let done = match unread_for {
                    Ok(Some(Duration::ZERO)) => runner.cancel(&id).await.map(|_| None),
                    other => other,
                };
                drop(runner);
                match done {
                    Ok(Some(left)) => sleep(left + grace).await,
                    // If the store does not answer, the client may still be waiting.
                    Err(error) if error.is_retryable() => backoff.wait().await,
                    Ok(None) => return,
                    Err(error) => {
                        tracing::warn!(run.id = %id, error = %error, "could not cancel a queued run whose client is gone");
                        return;
                    }
                }
            }
        });
    }

    /// How much longer a queued run counts as having a reader; `None` if it is no longer queued.
    ///
    /// # Errors
    /// The store's.
    async fn unread_for(&self, id: &RunId) -> agent_services::Result<Option<Duration>> {
        let runs = &self.0.services.runs;
        match runs.get(id).await? {
            Some(record) if record.status == Status::Queued => runs.reader_ttl(id).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Delivers the pending requests to a run of this process.
    ///
    /// # Errors
    /// An error of the store: the call has to be retried.
    async fn deliver(&self, id: &RunId) -> agent_services::Result<()> {
        let Some(live) = self.live(id) else { return Ok(()) };
        match self.0.services.runs.get(id).await? {
            Some(record) if record.cancel_requested => live.cancel.cancel(),
            Some(_) => live.steering.note_arrived(),
            // It was deleted with its session or its user, so its agent's further output is lost.
            None => live.cancel.cancel(),
        }
        Ok(())
    }

    /// Delivers the pending requests to these runs. Keeps the runs that could not be read, and returns the reason.
    async fn deliver_all(&self, pending: &mut HashSet<RunId>) -> Option<agent_services::Error> {
        let delivered = std::mem::take(pending).into_iter().map(async |id| (self.deliver(&id).await, id));
        let mut delivered = stream::iter(delivered).buffer_unordered(AT_ONCE);
        let mut failure = None;
        while let Some((delivered, id)) = delivered.next().await {
            if let Err(error) = delivered {
                pending.insert(id);
                failure = Some(error);
            }
        }
        failure
    }

    /// Looks for orphaned runs, for a process that has just renewed its lease.
    async fn recover_orphans(&self) {
        if self.0.tasks.is_closed() {
            return;
        }
        match self.0.services.runs.orphans(PageSize::default()).await {
            // Not awaited: even if it takes long, the lease has to be renewed.
            Ok(orphans) => orphans.into_iter().for_each(|id| self.recover_later(id)),
            Err(error) => tracing::warn!(error = %error, "could not look for orphaned runs"),
        }
    }

    fn live_ids(&self) -> Vec<RunId> {
        self.0.live.lock().keys().cloned().collect()
    }
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is aborted with the runner, and a drain need not wait for it"
    )]
    tokio::spawn(task).abort_handle()
}

/// Renews the lease and recovers orphaned runs.
async fn look_after(inner: Weak<Inner>) {
    let mut backoff: Option<Backoff> = None;
    loop {
        let Some(runner) = inner.upgrade().map(Runner) else { return };
        if runner.0.lease.is_released() {
            return;
        }
        let pause = runner.0.limits.lease / 3;
        let renewed = runner.renew_lease().await;
        let delay = match renewed {
            Ok(()) => {
                backoff = None;
                runner.recover_orphans().await;
                pause
            }
            // Other processes may have lost the store as well and be about to come back, so runs that look like orphans
            // may not be.
            Err(error) => {
                tracing::warn!(error = %error, "could not renew this process's lease; trying again");
                let longest = pause.min(LONGEST_DELAY);
                backoff.get_or_insert_with(|| Backoff::new(FIRST_DELAY, longest)).next_delay()
            }
        };
        drop(runner);
        sleep(delay).await;
    }
}

/// Receives signals for this process's runs. Reads that fail are retried. If the store cannot deliver signals, all runs
/// are checked from time to time.
async fn listen(inner: Weak<Inner>) {
    let Some((runs, owner, longest)) = inner
        .upgrade()
        .map(|inner| (Arc::clone(&inner.services.runs), inner.owner.clone(), inner.limits.lease / 3))
    else {
        return;
    };
    let mut signals = runs.signals(&owner);
    let mut pending: HashSet<RunId> = HashSet::new();
    let mut backoff = Backoff::new(FIRST_DELAY, longest);
    let mut delay = Duration::ZERO;
    loop {
        let told = tokio::select! {
            told = &mut signals => {
                signals = runs.signals(&owner);
                Some(told)
            }
            () = sleep(delay), if !pending.is_empty() => None,
        };
        let Some(runner) = inner.upgrade().map(Runner) else { return };
        let mut is_broken = false;
        match told {
            Some(Ok(ids)) if !ids.is_empty() => pending.extend(ids),
            Some(Ok(_)) => pending.extend(runner.live_ids()),
            Some(Err(error)) => {
                tracing::debug!(error = %error, "could not receive signals for this process's runs");
                is_broken = true;
                pending.extend(runner.live_ids());
            }
            None => {}
        }
        let failure = runner.deliver_all(&mut pending).await;
        drop(runner);
        if let Some(error) = &failure {
            tracing::warn!(error = %error, "could not read the requests to this process's runs; retrying");
        }
        if is_broken || failure.is_some() {
            delay = backoff.next_delay();
        } else {
            backoff.reset();
        }
        if is_broken {
            sleep(delay).await;
        }
    }
}

/// Deletes old runs and anonymous sessions.
async fn sweep(inner: Weak<Inner>) {
    loop {
        sleep(SWEEP).await;
        let Some(services) = inner.upgrade().map(|inner| inner.services.clone()) else { return };
        if let Err(error) = services.runs.sweep().await {
            tracing::warn!(error = %error, "could not delete old runs");
        }
        if let Err(error) = sweep_sessions(&services).await {
            tracing::warn!(error = %error, "could not delete old anonymous sessions");
        }
    }
}

/// Deletes old anonymous sessions, together with the states and memories that agents keep in them, which no request can
/// reach any more.
async fn sweep_sessions(services: &Services) -> agent_services::Result<()> {
    for (user, session) in services.sessions.sweep().await? {
        services.states.delete_session(&user, &session).await?;
        // If no request named the user either, the user has the session's id.
        if user.as_str() == session.as_str() {
            match services.memories.delete_user(&user).await {
                Err(error) if error.kind() != ErrorKind::Unsupported => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}
