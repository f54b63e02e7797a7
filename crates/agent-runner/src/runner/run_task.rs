//! The task that executes one run, from its first event to its last.
//!
//! It polls the agent. After each poll it stores the agent's output as one batch and shows it to the readers. An agent
//! that writes a lot between two awaits costs one append and one wake-up; the output of an agent that waits after every
//! word is shown word by word.

mod append_buffer;
mod ending;
mod interrupted;

use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use agent_schemas::{Error, ErrorBody, Status};
use agent_services::ErrorKind;
use agent_services::retry::Backoff;
use agent_services::run::{Batch, Grant, Written};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;
use tracing::Instrument;

use super::Runner;
use crate::Reservation;
use crate::agent::{Agent, AgentError, Effect};
use crate::assemble::Ending;
use crate::handle::RunHandle;
use crate::live::LiveRun;

pub(super) use self::append_buffer::AppendBuffer;

/// While an append is in flight, an agent may write this much ahead before it is no longer polled.
const MAX_AHEAD: usize = 1024 * 1024;

/// Unstored output of a run up to this size is not counted, so that runs that write little do not contend for a
/// counter.
const FEW_BYTES: usize = 16 * 1024;

/// Up to this size, entries are stored together. Readers that are behind read them in pieces of that size.
const APPEND_BYTES: usize = 256 * 1024;

type Stored<'a> = Pin<Box<dyn Future<Output = agent_services::Result<Written>> + Send + 'a>>;

#[derive(Debug)]
pub(super) struct RunTask {
    pub(super) runner: Runner,
    pub(super) live: Arc<LiveRun>,
    pub(super) task: Task,
    /// How long the run may have no reader before it is cancelled; `None` if it continues regardless.
    pub(super) cancel_after: Option<Duration>,
    /// The slot of this run among the concurrent ones; `None` while it waits for one.
    pub(super) permit: Option<OwnedSemaphorePermit>,
    /// Output that the store has not acknowledged. It survives an interruption, because the log must not have a gap.
    pub(super) buffer: Mutex<AppendBuffer>,
    /// Its share of the unstored output of all runs.
    pub(super) unstored: Mutex<Reservation>,
}

/// What has to be done for a run.
#[derive(Debug)]
pub(super) enum Task {
    /// Run the agent.
    Work(Arc<dyn Agent>),
    /// End it as cancelled. Its agent is not running: it has not begun, or its process is gone.
    Cancel { began: bool },
    /// End it, because it cannot be continued for this reason.
    GiveUp(ErrorBody),
    /// End it, because its stored data cannot be read.
    Fail(Error),
    /// Write its last event, the only one that is missing.
    Complete(Ending),
}

/// How the agent's part ended.
enum Outcome {
    Returned,
    Failed(Error),
    Canceled,
    /// The run is not continued, because its process died or what was cut off may not be done again.
    Abandoned(ErrorBody),
    /// The process that worked for the agent ended.
    Interrupted(Error),
    /// The final status was already stored.
    Settled(Ending),
    /// The agent never started.
    NeverBegan,
    /// This process may no longer write the log.
    Lost(agent_services::Error),
}

impl RunTask {
    /// Runs the agent, ends the log, and keeps it for its remaining readers.
    ///
    /// Everything up to the end of the log happens in the run's span, a child of the span that started the run. A
    /// background run outlives that span, so its own span only follows from it.
    pub(super) async fn run(self) {
        let live = &*self.live;
        let record = &live.record;
        let starter = tracing::Span::current();
        let parent = starter.id().filter(|_| !record.options.background);
        let span = tracing::info_span!(parent: parent, "run", run.id = %record.id, session.id = %record.session_id, agent.name = record.agent);
        if record.options.background {
            span.follows_from(&starter);
        }
        let (live, runner) = self.run_to_end().instrument(span).await;
        while live.tail.has_readers() {
            live.tail.abandoned().await;
        }
        runner.forget(&live);
    }

    /// Runs the agent and ends the log.
    async fn run_to_end(mut self) -> (Arc<LiveRun>, Runner) {
        if self.permit.is_none() {
            self.permit = self.wait_for_slot().await;
        }
        let outcome = match &self.task {
            Task::Work(agent) if self.permit.is_some() => {
                self.live.log.write(|assembler| assembler.begin());
                // The agent is dropped in here too, so its destructors cannot leave the log without an end.
                let worked = AssertUnwindSafe(self.work(agent)).catch_unwind().await;
                worked.unwrap_or_else(|payload| Outcome::Failed(AgentError::panic(&*payload).into_inner()))
            }
            Task::Cancel { began: true } => Outcome::Canceled,
            Task::Work(_) | Task::Cancel { began: false } => Outcome::NeverBegan,
            Task::GiveUp(why) => Outcome::Abandoned(why.clone()),
            Task::Fail(error) => Outcome::Failed(error.clone()),
            Task::Complete(ending) => Outcome::Settled(ending.clone()),
        };
        // Boxed, because otherwise the run would reserve its memory, most of the task, from the start.
        let granted = Box::pin(self.end(outcome)).await;
        let RunTask { live, permit, runner, .. } = self;
        drop(permit);
        if let Some(grant) = granted {
            runner.execute_later(grant);
        }
        (live, runner)
    }

    /// Waits for a slot; `None` if the run was cancelled meanwhile.
    async fn wait_for_slot(&self) -> Option<OwnedSemaphorePermit> {
        let _waiting = self.runner.waiting();
        tokio::select! {
            biased;
            () = self.live.cancel.cancelled() => None,
            () = self.cancel_when_abandoned() => None,
            permit = self.runner.slot() => permit,
        }
    }

    async fn work(&self, agent: &Arc<dyn Agent>) -> Outcome {
        // The set polls its futures only when they are woken, not whenever the agent writes a word.
        let interruptions = FuturesUnordered::from_iter([self.interruption()]);
        tokio::select! {
            biased;
            outcome = self.pump(agent) => outcome,
            (outcome, _) = interruptions.into_future() => outcome.unwrap_or(Outcome::Canceled),
        }
    }

    /// Resolves when the run has to end, whatever the agent does.
    async fn interruption(&self) -> Outcome {
        let limit = self.runner.limits().run_time;
        tokio::select! {
            biased;
            () = self.cancel_is_overdue() => Outcome::Canceled,
            () = sleep(limit) => Outcome::Failed(Error::Timeout { operation: "run (runs.run_time_seconds)".to_owned(), timeout: limit.as_secs() }),
            () = self.cancel_when_abandoned() => Outcome::Canceled,
        }
    }

    /// Polls the agent and stores its output until it returns.
    async fn pump(&self, agent: &Arc<dyn Agent>) -> Outcome {
        let live = &*self.live;
        let handle = RunHandle::new(Arc::clone(&self.live), self.runner.child_starter());
        let mut agent = pin!(AssertUnwindSafe(async { agent.run(handle).await }).catch_unwind());
        let mut returned = None;
        let mut append: Option<Stored<'_>> = None;
        poll_fn(|cx| {
            let mut agent_is_due = true;
            loop {
                if let Some(stored) = &mut append {
                    match stored.as_mut().poll(cx) {
                        Poll::Ready(Ok(written)) => {
                            self.acknowledge(written);
                            append = None;
                        }
                        Poll::Ready(Err(error)) if error.is_retryable() => {
                            let batch = self.buffer.lock().in_flight();
                            append = batch
                                .map(|batch| -> Stored<'_> { Box::pin(self.append_until_stored(batch)) });
                            continue;
                        }
                        Poll::Ready(Err(error)) => return Poll::Ready(Outcome::Lost(error)),
                        Poll::Pending => {}
                    }
                }
                if agent_is_due && returned.is_none() && self.may_run(append.is_some(), cx.waker()) {
                    agent_is_due = false;
                    live.log.begin_poll();
                    if let Poll::Ready(result) = agent.as_mut().poll(cx) {
                        returned = Some(self.outcome_of(result));
                    }
                    self.note_ahead();
                }
                if let Some(outcome) = returned.take_if(|_| append.is_none()) {
                    return Poll::Ready(outcome);
                }
                if returned.is_some() {
                    return Poll::Pending;
                }
                match self.buffer.lock().next(live, append.is_none(), cx) {
                    Ok(Some(batch)) => append = Some(self.append(batch)),
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
            Ok(Err(error)) => Some(error),
            Err(payload) => Some(AgentError::panic(&*payload)),
        };
        match error {
            // A cancelled agent did not finish, whatever it returns.
            error if self.live.cancel.is_cancelled() => {
                if let Some(error) = error {
                    tracing::info!(run.id = %self.live.record.id, error = %error, "the agent of a cancelled run failed");
                }
                Outcome::Canceled
            }
            None => Outcome::Returned,
            Some(error) => match error.effect() {
                Effect::Wait => Outcome::Returned,
                Effect::Fail => Outcome::Failed(error.into_inner()),
                Effect::Incomplete => Outcome::Abandoned(error.as_error().to_body()),
                Effect::Recover => Outcome::Interrupted(error.into_inner()),
            },
        }
    }

    /// Returns whether the agent may write more; if not, keeps the waker.
    fn may_run(&self, is_appending: bool, waker: &Waker) -> bool {
        let ahead = self.note_ahead();
        !(is_appending && ahead >= MAX_AHEAD) && self.runner.has_room(waker)
    }

    /// Updates the count of the agent's unstored bytes.
    fn note_ahead(&self) -> usize {
        let ahead = self.ahead();
        let counted = if ahead > FEW_BYTES { ahead } else { 0 };
        let mut unstored = self.unstored.lock();
        if unstored.bytes() != counted {
            unstored.set(counted);
        }
        ahead
    }

    fn append(&self, batch: Batch) -> Stored<'_> {
        let (runs, id, token) = (&self.live.services.runs, &self.live.record.id, self.live.token);
        if batch.frames.len() <= APPEND_BYTES {
            return runs.append(id, token, batch);
        }
        Box::pin(async move {
            let mut written = Written::default();
            for piece in batch.pieces(APPEND_BYTES) {
                written = runs.append(id, token, piece).await?;
            }
            Ok(written)
        })
    }

    /// Stores all of a large batch but its last piece, which is returned.
    async fn append_beginning(&self, batch: &Batch) -> agent_services::Result<Batch> {
        let mut pieces = batch.pieces(APPEND_BYTES);
        let last = pieces.pop().unwrap_or_else(|| batch.clone());
        for piece in pieces {
            self.append_until_stored(piece).await?;
        }
        Ok(last)
    }

    /// Repeats an append while the store is unavailable. Repeating is safe: what was stored is acknowledged again.
    async fn append_until_stored(&self, batch: Batch) -> agent_services::Result<Written> {
        self.retry(|| self.append(batch.clone())).await
    }

    /// Shows what the store has acknowledged. The acknowledgement also says whether the run was asked to stop,
    /// because the signal may be lost or late.
    fn acknowledge(&self, written: Written) {
        self.buffer.lock().acknowledge(&self.live);
        if written.cancel_requested {
            self.live.cancel.cancel();
        }
    }

    async fn retry<T, F>(&self, mut call: impl FnMut() -> F) -> agent_services::Result<T>
    where
        F: Future<Output = agent_services::Result<T>>,
    {
        let mut backoff = Backoff::default();
        loop {
            match call().await {
                Err(error) if error.is_retryable() => {
                    tracing::warn!(run.id = %self.live.record.id, error = %error, "the run store is unavailable; retrying to store a run's events");
                    backoff.wait().await;
                }
                done => return done,
            }
        }
    }

    /// Resolves when a cancelled agent has used up its grace period.
    async fn cancel_is_overdue(&self) {
        self.live.cancel.cancelled().await;
        sleep(self.runner.limits().cancel_grace).await;
    }

    /// Cancels the run when it has had no reader for the grace period; never resolves.
    async fn cancel_when_abandoned(&self) {
        let Some(grace) = self.cancel_after else { return pending().await };
        loop {
            self.live.tail.abandoned().await;
            if self.live.tail.has_readers() {
                continue;
            }
            sleep(grace).await;
            if !self.live.tail.has_readers() && !self.is_read_elsewhere().await {
                self.live.cancel.cancel();
            }
        }
    }

    /// Waits while other processes report readers; returns whether the run then has a reader here.
    async fn is_read_elsewhere(&self) -> bool {
        let mut backoff = Backoff::default();
        loop {
            let left = match self.live.services.runs.reader_ttl(&self.live.record.id).await {
                Ok(left) if left.is_zero() => return self.live.tail.has_readers(),
                Ok(left) => left,
                Err(error) if error.is_retryable() => backoff.next_delay(),
                Err(_) => return true,
            };
            sleep(left).await;
        }
    }

    /// The number of the agent's unstored bytes.
    fn ahead(&self) -> usize {
        self.live.log.pending_bytes() + self.buffer.lock().bytes()
    }

    /// Repeats the append that was interrupted. Repeating is safe even if it succeeded.
    async fn finish_append(&self) -> agent_services::Result<()> {
        let batch = self.buffer.lock().in_flight();
        if let Some(batch) = batch {
            let written = self.append_until_stored(batch).await?;
            self.acknowledge(written);
        }
        Ok(())
    }

    /// Ends the log; returns the right to execute the next run of the session.
    async fn end(&self, outcome: Outcome) -> Option<Grant> {
        self.live.family.stop();
        let outcome = match self.finish_append().await {
            Ok(()) => outcome,
            Err(error) => Outcome::Lost(error),
        };
        if let Outcome::Interrupted(error) = &outcome
            && self.may_be_continued()
        {
            return self.step_down(error).await;
        }
        let began = !matches!(outcome, Outcome::NeverBegan);
        let ending = match (outcome, self.live.log.take_failure()) {
            (Outcome::Lost(error), _) => return self.lose(&error, "could not write a run's log"),
            (Outcome::Settled(ending), _) => ending,
            (Outcome::Abandoned(why), _) => self.ending(Status::Incomplete, Some(why)),
            (_, Some(error)) | (Outcome::Failed(error) | Outcome::Interrupted(error), None) => {
                self.ending(Status::Failed, Some(self.report(&error)))
            }
            (Outcome::Canceled | Outcome::NeverBegan, None) => self.ending(Status::Canceled, None),
            (Outcome::Returned, None) => self.ending(Status::Completed, None),
        };
        match self.write_end(ending, began).await {
            Ok(granted) => granted,
            Err(error) => self.lose(&error, "could not finish a run's log"),
        }
    }

    fn ending(&self, status: Status, error: Option<ErrorBody>) -> Ending {
        Ending { error, ..Ending::new(status, self.live.services.clock.unix_seconds()) }
    }

    /// Logs why the run failed, and returns the error for its client. The texts of panics, and of errors that
    /// do not come from the agent itself, may contain details that are not for the client, so they are only in the
    /// log.
    fn report(&self, error: &Error) -> ErrorBody {
        let (id, agent, code) = (&self.live.record.id, &self.live.record.agent, error.code());
        let Error::UnknownAgent { class, message } = error else {
            tracing::info!(run.id = %id, agent.name = agent, error.code = code, error = %error, "the run failed");
            return error.to_body();
        };
        tracing::error!(run.id = %id, agent.name = agent, error.code = code, error = %format_args!("{class}: {message}"), "the run failed unexpectedly");
        let message = format!("The agent failed unexpectedly; the server's log has the details of run {id}");
        ErrorBody::new(code, message)
    }

    fn lose(&self, error: &agent_services::Error, what: &str) -> Option<Grant> {
        let id = &self.live.record.id;
        if error.kind() == ErrorKind::Conflict {
            tracing::warn!(run.id = %id, error = %error, "{what}: another process owns the run");
        } else {
            tracing::error!(run.id = %id, error = %error, "{what}");
        }
        self.live.lose();
        // If the run still belongs to this process, no other process would ever end it.
        self.runner.recover_later(self.live.record.id.clone());
        None
    }
}
