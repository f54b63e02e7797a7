//! The background work of a process: it renews its lease, receives signals for its runs, and recovers the runs of
//! dead processes.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use agent_schemas::{RunId, Status};
use agent_services::page::PageSize;
use agent_services::retry::Backoff;
use agent_services::run::RunRecord;
use futures_util::{StreamExt, stream};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::{Inner, Runner};

/// The first delay before a failed call to the store is retried; the longest is a fraction of the lease.
const FIRST_DELAY: Duration = Duration::from_millis(50);

/// How many runs are checked at the same time.
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
            let inner = &*self.0;
            inner.services.runs.heartbeat(&inner.owner, inner.limits.lease).await?;
            Ok(Watch(vec![
                spawn(look_after(self.downgrade())),
                spawn(listen(self.downgrade())),
                spawn(sweep(self.downgrade())),
            ]))
        };
        self.0.watch.get_or_try_init(begin).await.map(drop)
    }

    /// Releases this process's lease, so that others can take over its runs at once.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn release_lease(&self) -> agent_services::Result<()> {
        self.0.services.runs.release_lease(&self.0.owner).await
    }

    /// Cancels a queued run when its client has been disconnected for long enough.
    pub(super) fn watch_queued(&self, record: &RunRecord) {
        let Some(grace) = record.options.cancel_after() else { return };
        let (id, inner) = (record.id.clone(), self.downgrade());
        // Not on the runs' tracker: a drain need not wait for this task.
        spawn(async move {
            sleep(grace.max(Duration::from_secs(1))).await;
            loop {
                let Some(runner) = inner.upgrade().map(Runner) else { return };
                if runner.0.tasks.is_closed() {
                    return;
                }
                match runner.unread_for(&id).await {
                    Some(Duration::ZERO) => {
                        if let Err(error) = runner.cancel(&id).await {
                            tracing::warn!(run.id = %id, error = %error, "could not cancel a queued run after its client disconnected");
                        }
                        return;
                    }
                    Some(left) => {
                        drop(runner);
                        sleep(left + grace).await;
                    }
                    None => return,
                }
            }
        });
    }

    /// How long a queued run still counts as having a reader; `None` if it is no longer queued.
    async fn unread_for(&self, id: &RunId) -> Option<Duration> {
        let runs = &self.0.services.runs;
        let record = runs.get(id).await.ok()??;
        if record.status != Status::Queued {
            return None;
        }
        runs.reader_ttl(id).await.ok()
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
            None => {}
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
    loop {
        let Some(runner) = inner.upgrade().map(Runner) else { return };
        let (runs, limits) = (&runner.0.services.runs, &runner.0.limits);
        let pause = limits.lease / 3;
        if let Err(error) = runs.heartbeat(&runner.0.owner, limits.lease).await {
            tracing::warn!(error = %error, "could not renew this process's lease");
        }
        if !runner.0.tasks.is_closed() {
            match runs.orphans(PageSize::default()).await {
                Ok(orphans) => {
                    for id in orphans {
                        // Not awaited: a slow recovery must not delay the lease.
                        runner.recover_later(id);
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error, "could not find orphaned runs");
                }
            }
        }
        drop(runner);
        sleep(pause).await;
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

/// Deletes old runs.
async fn sweep(inner: Weak<Inner>) {
    loop {
        sleep(SWEEP).await;
        let Some(runs) = inner.upgrade().map(|inner| Arc::clone(&inner.services.runs)) else { return };
        if let Err(error) = runs.sweep().await {
            tracing::warn!(error = %error, "could not delete old runs");
        }
    }
}
