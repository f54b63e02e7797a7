//! What a process does beside its runs: it says that it lives, hears what is asked of its runs, and looks after the runs
//! of processes that are gone.

use std::sync::{Arc, Weak};
use std::time::Duration;

use agent_schemas::{RunId, Status};
use agent_services::page::PageSize;
use agent_services::run::RunRecord;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::{Inner, OnDisconnect, Runner};

/// How often old runs are forgotten.
const SWEEP: Duration = Duration::from_secs(30);

/// The tasks of a runner. They end with it.
pub(super) struct Watch(Vec<AbortHandle>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Runner {
    /// Begins to look after runs, unless that was done: those that were left behind go on or end. Starting a run does this
    /// too.
    ///
    /// # Errors
    /// The store's, if it does not hear that this process lives.
    ///
    /// # Cancellation
    /// Dropping the future begins nothing.
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

    /// Says that this process executes nothing any more, so that others need not wait for its lease to end.
    ///
    /// # Errors
    /// The store's.
    pub async fn retire(&self) -> agent_services::Result<()> {
        self.0.services.runs.retire(&self.0.owner).await
    }

    /// Cancels a run that waits when the client that asked for it is gone for long enough.
    pub(super) fn watch_queued(&self, record: &RunRecord, on_disconnect: OnDisconnect) {
        let OnDisconnect::Cancel { grace } = on_disconnect else { return };
        let (id, inner) = (record.id.clone(), self.downgrade());
        // Beside the runs: a drain need not wait for one that waits itself.
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
                            tracing::warn!(run.id = %id, error = %error, "a run that nobody waits for goes on waiting");
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

    /// For how long a run that waits still counts as being read; `None` if it does not wait any more.
    async fn unread_for(&self, id: &RunId) -> Option<Duration> {
        let runs = &self.0.services.runs;
        let record = runs.get(id).await.ok()??;
        if record.status != Status::Queued {
            return None;
        }
        runs.attended(id).await.ok()
    }

    /// Passes on what was asked of a run of this process.
    async fn hear(&self, id: &RunId) {
        let Some(live) = self.live(id) else { return };
        match self.0.services.runs.get(id).await {
            Ok(Some(record)) if record.cancel_requested => live.cancel.cancel(),
            Ok(Some(_)) => live.note_steered(),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(run.id = %id, error = %error, "what was asked of a run cannot be read");
                // Whatever it was: the run looks for itself, and the next signal tells of a cancellation.
                live.note_steered();
            }
        }
    }
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is aborted with the runner, and a drain need not wait for it"
    )]
    tokio::spawn(task).abort_handle()
}

/// Renews the lease, and looks for runs that nobody executes.
async fn look_after(inner: Weak<Inner>) {
    loop {
        let Some(runner) = inner.upgrade().map(Runner) else { return };
        let (runs, limits) = (&runner.0.services.runs, &runner.0.limits);
        let pause = limits.lease / 3;
        if let Err(error) = runs.heartbeat(&runner.0.owner, limits.lease).await {
            tracing::warn!(error = %error, "the run store did not hear that this process lives");
        }
        if !runner.0.tasks.is_closed() {
            match runs.orphans(PageSize::default()).await {
                Ok(orphans) => {
                    for id in orphans {
                        // Not waited for: where it takes long, the lease is to be renewed all the same.
                        runner.recover_later(id);
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error, "runs that nobody executes cannot be looked for");
                }
            }
        }
        drop(runner);
        sleep(pause).await;
    }
}

/// Hears what is asked of this process's runs.
async fn listen(inner: Weak<Inner>) {
    let mut pause = Duration::from_millis(50);
    loop {
        let Some((runs, owner)) =
            inner.upgrade().map(|inner| (Arc::clone(&inner.services.runs), inner.owner.clone()))
        else {
            return;
        };
        let told = runs.signals(&owner).await;
        let Some(runner) = inner.upgrade().map(Runner) else { return };
        match told {
            Ok(ids) => {
                pause = Duration::from_millis(50);
                let all = || runner.0.live.lock().keys().cloned().collect();
                let ids: Vec<RunId> = if ids.is_empty() { all() } else { ids };
                for id in ids {
                    runner.hear(&id).await;
                }
            }
            Err(error) => {
                tracing::debug!(error = %error, "what is asked of runs cannot be heard");
                drop(runner);
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// Forgets old runs.
async fn sweep(inner: Weak<Inner>) {
    loop {
        sleep(SWEEP).await;
        let Some(runs) = inner.upgrade().map(|inner| Arc::clone(&inner.services.runs)) else { return };
        if let Err(error) = runs.sweep().await {
            tracing::warn!(error = %error, "old runs could not be forgotten");
        }
    }
}
