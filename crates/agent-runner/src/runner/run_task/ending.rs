//! Writes the end of a log.

use agent_schemas::Status;
use agent_services::run::{Batch, FinishRun, Grant};
use agent_services::{ErrorKind, Result};

use super::RunTask;
use crate::assemble::{Assembler, Ending};
use crate::history::{self, History};
use crate::live::{LogEnd, RunEnd};
use crate::steer;

impl RunTask {
    /// Closes open messages, appends the history to the session, and writes the last event, in one step if the
    /// stores can. A client that sees the last event may start the next turn, which needs the session's history; if
    /// the session does not have it, the last event says so. Returns the right to execute the next run of the
    /// session.
    ///
    /// If the run was asked to stop, the store rejects an end that ignores this, because the request was
    /// acknowledged and the signal may be late or lost. Such a run ends as canceled.
    pub(super) async fn write_end(&self, ending: Ending, began: bool) -> Result<Option<Grant>> {
        let log = &self.live.log;
        let closing = log.seal(|assembler| assembler.close_all(&ending.status, ending.error.as_ref()));
        let unstored = self.append_beginning(&self.unstored(&closing)).await?;
        let is_repeated = began && history::is_repeated(&self.live).await;
        match self.write_end_as(ending, (began, is_repeated), &closing, &unstored).await {
            Err(error) if error.kind() == ErrorKind::Canceled => {
                self.live.cancel.cancel();
                log.seal(Assembler::take_back_end);
                let ending = self.ending(Status::Canceled, None);
                self.write_end_as(ending, (began, is_repeated), &closing, &unstored).await
            }
            done => done,
        }
    }

    /// Writes the end after the entries that close open messages. If the store rejects it as
    /// [`Canceled`](ErrorKind::Canceled), nothing has changed.
    async fn write_end_as(
        &self,
        mut ending: Ending,
        (began, is_repeated): (bool, bool),
        closing: &Batch,
        unstored: &Batch,
    ) -> Result<Option<Grant>> {
        let live = &*self.live;
        let mut history = if began { History::of(live, &ending, is_repeated) } else { None };
        let has_more_steps =
            live.steering.may_have_taken() || (history.is_some() && !live.services.end_runs_in_one_step());
        let mut unstored = unstored.clone();
        if has_more_steps {
            let kept = began.then(|| serde_json::to_string(&ending).unwrap_or_default());
            self.write_before_end(&unstored, kept.as_deref(), knows_cancel(&ending.status)).await?;
            unstored = Batch::empty(unstored.end());
            if let Some(history) = history.take()
                && let Err(warning) = history.append().await
            {
                ending.warnings.push(warning);
            }
            steer::forget_taken(live).await?;
        }
        let mut end = live.log.seal(|assembler| assembler.finish(&ending));
        let mut finished = self.finish(&unstored, &end, &ending.status, history.as_ref()).await;
        if let (Some(history), Err(error)) = (history, &finished)
            && error.kind() == ErrorKind::InvalidInput
        {
            // Nothing was changed: the session rejects the history.
            ending.warnings.push(history.is_missing(error));
            end = live.log.seal(|assembler| {
                assembler.take_back_end();
                assembler.finish(&ending);
            });
            finished = self.finish(&unstored, &end, &ending.status, None).await;
        }
        let granted = finished?;
        let ended = RunEnd::new(ending.status, ending.error.as_ref());
        // Shown together, so that they are sent in one write.
        live.tail.publish(Some(Batch::concat(&[closing.clone(), end])), Some(LogEnd::Finished(ended)));
        Ok(granted)
    }

    /// The entries that remain to be stored at the end: those that readers have already seen, and the end.
    pub(super) fn unstored(&self, closing: &Batch) -> Batch {
        let mut unstored = self.buffer.lock().take_shown();
        unstored.push(closing.clone());
        Batch::concat(&unstored)
    }

    /// Writes all but the last event, and how the run ends, so that another process can continue from there.
    /// `cancel_seen` says that the ending accounts for a request to stop.
    async fn write_before_end(&self, last: &Batch, ending: Option<&str>, cancel_seen: bool) -> Result<()> {
        let live = &*self.live;
        let runs = &live.services.runs;
        match ending {
            Some(ending) => {
                self.retry(|| runs.seal(&live.record.id, live.token, last.clone(), ending, cancel_seen)).await
            }
            None => self.retry(|| runs.append(&live.record.id, live.token, last.clone())).await.map(|_| ()),
        }
    }

    /// Ends the log with its unstored entries and its last event.
    async fn finish(
        &self,
        unstored: &Batch,
        end: &Batch,
        status: &Status,
        history: Option<&History<'_>>,
    ) -> Result<Option<Grant>> {
        let live = &*self.live;
        let last = Batch::concat(&[unstored.clone(), end.clone()]);
        let run = FinishRun::new(live.record.id.clone(), live.token, last, status.clone())
            .with_next(self.runner.next_owner().cloned())
            .with_cancel_seen(knows_cancel(status))
            .with_history(history.map(History::batch).transpose()?);
        Ok(self.retry(|| live.services.runs.finish(run.clone())).await?.granted)
    }
}

/// Returns whether this ending stays the same even if the run was asked to stop.
fn knows_cancel(status: &Status) -> bool {
    matches!(status, Status::Canceled | Status::Incomplete)
}
