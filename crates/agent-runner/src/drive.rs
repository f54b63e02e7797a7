//! The driver: the task that carries one run from its first event to its last.
//!
//! It polls the agent, and after each poll stores what the agent wrote as one batch and shows it to the readers. So
//! an agent that writes a lot between two awaits costs one append and one wake-up, and one that waits after every
//! word is seen word by word.

use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use agent_schemas::{Error, Status};
use agent_services::run::{Batch, FencingToken};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use crate::agent::{Agent, AgentError};
use crate::assemble::Ending;
use crate::handle::RunHandle;
use crate::history;
use crate::live::{LiveRun, LogEnd, RunEnd};
use crate::runner::{OnDisconnect, RunLimits};

/// While an append is under way, an agent may write this much ahead before it is no longer polled.
const MAX_AHEAD: usize = 4 * 1024 * 1024;

/// How long to wait before asking a store again that is away, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

type Stored<'a> = Pin<Box<dyn Future<Output = agent_services::Result<()>> + Send + 'a>>;

#[derive(Debug)]
pub(crate) struct Drive {
    pub(crate) live: Arc<LiveRun>,
    pub(crate) agent: Arc<dyn Agent>,
    pub(crate) token: FencingToken,
    pub(crate) limits: RunLimits,
    pub(crate) on_disconnect: OnDisconnect,
    /// Counts this run among the concurrent ones until it has ended.
    pub(crate) permit: OwnedSemaphorePermit,
    /// The batch whose append has not been acknowledged. It outlives an interruption: the log must have no hole.
    pub(crate) in_flight: Mutex<Option<Batch>>,
}

/// How the agent's part ended.
enum Outcome {
    Returned,
    Failed(Error),
    Canceled,
    /// The log may no longer be written.
    Lost(agent_services::Error),
}

impl Drive {
    /// Runs the agent, ends the log, and keeps it for those who still read it.
    pub(crate) async fn run(self) {
        // The agent is dropped in here too, so what its destructors do cannot leave the log without an end.
        let worked = AssertUnwindSafe(self.work()).catch_unwind().await;
        let outcome =
            worked.unwrap_or_else(|payload| Outcome::Failed(AgentError::panic(&*payload).into_inner()));
        self.end(outcome).await;
        let Drive { live, permit, .. } = self;
        drop(permit);
        while live.has_readers() {
            live.abandoned.notified().await;
        }
        if let Err(error) = live.services.runs.delete(&live.id).await {
            tracing::warn!(run.id = %live.id, error = %error, "an ended run's log could not be freed");
        }
    }

    async fn work(&self) -> Outcome {
        // The set polls what is in it only when that was woken, not whenever the agent writes a word.
        let interruptions = FuturesUnordered::from_iter([self.interruption()]);
        tokio::select! {
            biased;
            outcome = self.pump() => outcome,
            (outcome, _) = interruptions.into_future() => outcome.unwrap_or(Outcome::Canceled),
        }
    }

    /// Resolves when the run is to end whatever the agent does.
    async fn interruption(&self) -> Outcome {
        let limit = self.limits.run_time;
        tokio::select! {
            biased;
            () = self.cancel_is_overdue() => Outcome::Canceled,
            () = sleep(limit) => Outcome::Failed(Error::Timeout { operation: "run".to_owned(), timeout: limit.as_secs() }),
            () = self.cancel_when_abandoned() => Outcome::Canceled,
        }
    }

    /// Polls the agent and stores what it writes, until it returns.
    async fn pump(&self) -> Outcome {
        let live = &*self.live;
        let handle = RunHandle::new(Arc::clone(&self.live));
        let mut agent = pin!(AssertUnwindSafe(async { self.agent.run(handle).await }).catch_unwind());
        let mut returned = None;
        let mut append: Option<Stored<'_>> = None;
        poll_fn(|cx| {
            let mut agent_is_due = true;
            loop {
                if let Some(stored) = &mut append {
                    match stored.as_mut().poll(cx) {
                        Poll::Ready(Ok(())) => {
                            live.publish(self.in_flight.lock().take(), None);
                            append = None;
                        }
                        Poll::Ready(Err(error)) if error.is_retryable() => {
                            let batch = self.in_flight.lock().clone();
                            append = batch
                                .map(|batch| -> Stored<'_> { Box::pin(self.append_until_stored(batch)) });
                            continue;
                        }
                        Poll::Ready(Err(error)) => return Poll::Ready(Outcome::Lost(error)),
                        Poll::Pending => {}
                    }
                }
                let may_run = append.is_none() || live.pending_bytes() < MAX_AHEAD;
                if agent_is_due && may_run && returned.is_none() {
                    agent_is_due = false;
                    live.begin_poll();
                    if let Poll::Ready(result) = agent.as_mut().poll(cx) {
                        returned = Some(self.outcome_of(result));
                    }
                }
                if append.is_some() {
                    return Poll::Pending;
                }
                if let Some(outcome) = returned.take() {
                    return Poll::Ready(outcome);
                }
                match live.take_pending(cx.waker()) {
                    Ok(Some(batch)) => {
                        *self.in_flight.lock() = Some(batch.clone());
                        append = Some(self.append(batch));
                    }
                    Ok(None) => return Poll::Pending,
                    Err(failure) => return Poll::Ready(Outcome::Failed(failure)),
                }
            }
        })
        .await
    }

    fn outcome_of(&self, result: std::thread::Result<Result<(), AgentError>>) -> Outcome {
        let error = match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.into_inner()),
            Err(payload) => Some(AgentError::panic(&*payload).into_inner()),
        };
        match error {
            // Whatever a cancelled agent says, it did not finish.
            _ if self.live.cancel.is_cancelled() => Outcome::Canceled,
            Some(error) => Outcome::Failed(error),
            None => Outcome::Returned,
        }
    }

    fn append(&self, batch: Batch) -> Stored<'_> {
        self.live.services.runs.append(&self.live.id, self.token, batch)
    }

    /// Repeats an append while the store is away. Repeating is safe: what was stored is acknowledged again.
    async fn append_until_stored(&self, batch: Batch) -> agent_services::Result<()> {
        self.retry(|| self.append(batch.clone())).await
    }

    async fn retry<'a>(&self, mut call: impl FnMut() -> Stored<'a>) -> agent_services::Result<()> {
        let mut wait = RETRY.0;
        loop {
            match call().await {
                Err(error) if error.is_retryable() => {
                    tracing::warn!(run.id = %self.live.id, error = %error, "the run store is away; the run waits for it");
                    sleep(wait).await;
                    wait = (wait * 2).min(RETRY.1);
                }
                done => return done,
            }
        }
    }

    /// Resolves when an agent that was cancelled has had its grace period.
    async fn cancel_is_overdue(&self) {
        self.live.cancel.cancelled().await;
        sleep(self.limits.cancel_grace).await;
    }

    /// Cancels the run when nobody has read it for the grace period; never resolves.
    async fn cancel_when_abandoned(&self) {
        let OnDisconnect::Cancel { grace } = self.on_disconnect else { return pending().await };
        loop {
            self.live.abandoned.notified().await;
            if self.live.has_readers() {
                continue;
            }
            sleep(grace).await;
            if !self.live.has_readers() {
                self.live.cancel.cancel();
            }
        }
    }

    /// Repeats the append that an interruption cut off. Repeating is safe where it had succeeded unheard.
    async fn settle(&self) -> agent_services::Result<()> {
        let batch = self.in_flight.lock().take();
        if let Some(batch) = batch {
            self.append_until_stored(batch.clone()).await?;
            self.live.publish(Some(batch), None);
        }
        Ok(())
    }

    async fn end(&self, outcome: Outcome) {
        let live = &*self.live;
        let outcome = match self.settle().await {
            Ok(()) => outcome,
            Err(error) => Outcome::Lost(error),
        };
        let (status, error) = match (outcome, live.take_failure()) {
            (Outcome::Lost(error), _) => {
                tracing::error!(run.id = %live.id, error = %error, "the run's log could not be written");
                live.close(|_| ());
                return live.publish(None, Some(LogEnd::Lost));
            }
            (_, Some(error)) | (Outcome::Failed(error), None) => {
                tracing::info!(run.id = %live.id, agent.name = live.agent, error.code = error.code(), "the run failed");
                (Status::Failed, Some(error))
            }
            (Outcome::Canceled, None) => (Status::Canceled, None),
            (Outcome::Returned, None) => (Status::Completed, None),
        };
        let end = RunEnd { status: status.clone(), http_status: error.as_ref().map(Error::http_status) };
        let completed_at = live.services.clock.unix_seconds();
        let ending =
            Ending { status: status.clone(), error: error.map(|error| error.to_body()), completed_at };
        let batch = live.close(|assembler| assembler.finish(&ending));
        // Before anybody sees the end: who sees it may ask for the next turn, which needs this one.
        history::record(live, &ending).await;
        let runs = &live.services.runs;
        match self.retry(|| runs.finish(&live.id, self.token, batch.clone(), status.clone())).await {
            Ok(()) => live.publish(Some(batch), Some(LogEnd::Finished(end))),
            Err(error) => {
                tracing::error!(run.id = %live.id, error = %error, "the run's log could not be finished");
                live.publish(None, Some(LogEnd::Lost));
            }
        }
    }
}
