//! The end of a log.

use agent_schemas::Status;
use agent_services::run::{Batch, FinishRun, Grant};
use agent_services::{ErrorKind, Result};

use super::{APPEND_BYTES, RunTask};
use crate::assemble::{Assembler, Ending};
use crate::history::History;
use crate::live::{LogEnd, RunEnd};
use crate::steer;

impl RunTask {
    /// Closes what is open, appends the history to the session, and writes the last event: in one step if the stores can. A
    /// client that sees the last event may start the next turn, which needs the session's history. Returns the right to
    /// execute the next run of the session.
    ///
    /// Of a run that was asked to stop, the store accepts no end that does not say so: the request was acknowledged, and the
    /// signal may be late or lost. Such a run ends as canceled.
    pub(super) async fn write_end(&self, ending: &Ending, began: bool) -> Result<Option<Grant>> {
        let log = &self.live.log;
        let closing = log.seal(|assembler| assembler.close_all(&ending.status, ending.error.as_ref()));
        let unstored = self.append_beginning(&self.unstored(&closing)).await?;
        match self.write_end_as(ending, began, &closing, &unstored).await {
            Err(error) if error.kind() == ErrorKind::Canceled => {
                self.live.cancel.cancel();
                log.seal(Assembler::take_back_end);
                let ending = self.ending(Status::Canceled, None, None);
                self.write_end_as(&ending, began, &closing, &unstored).await
            }
            done => done,
        }
    }

    /// Writes the end behind the entries that close what was open. If it is refused, nothing has changed.
    async fn write_end_as(
        &self,
        ending: &Ending,
        began: bool,
        closing: &Batch,
        unstored: &Batch,
    ) -> Result<Option<Grant>> {
        let live = &*self.live;
        let mut history = if began { History::of(live, ending) } else { None };
        let has_more_steps =
            live.steering.may_have_taken() || (history.is_some() && !live.services.end_runs_in_one_step());
        if has_more_steps {
            let kept = began.then(|| serde_json::to_string(ending).unwrap_or_default());
            let kept = kept.as_deref().map(|text| (text, knows_cancel(&ending.status)));
            self.write_before_end(unstored, kept, history.take()).await?;
        }
        let end = live.log.seal(|assembler| assembler.finish(ending));
        let last = if has_more_steps { end.clone() } else { self.joined(unstored, &end).await? };
        let granted = self.finish(&last, &ending.status, history).await?;
        // Shown together, so that they leave in one write.
        let shown = Batch::concat(&[closing.clone(), end]);
        let ended = RunEnd { status: ending.status.clone(), http_status: ending.http_status };
        live.tail.publish(Some(shown), Some(LogEnd::Finished(ended)));
        Ok(granted)
    }

    /// The last entries as one batch; those before the end are stored on their own if that would be large.
    async fn joined(&self, unstored: &Batch, end: &Batch) -> Result<Batch> {
        if unstored.count == 0 || unstored.frames.len() + end.frames.len() <= APPEND_BYTES {
            return Ok(Batch::concat(&[unstored.clone(), end.clone()]));
        }
        self.append_until_stored(unstored.clone()).await?;
        Ok(end.clone())
    }

    /// What is left to store at the end: what readers have already seen, and what follows.
    fn unstored(&self, closing: &Batch) -> Batch {
        let mut unstored = self.buffer.lock().take_shown();
        unstored.push(closing.clone());
        Batch::concat(&unstored)
    }

    /// Writes all but the last event, and how the run ends, so that another process can continue from there. The ending comes
    /// with whether it takes a request to stop into account.
    async fn write_before_end(
        &self,
        last: &Batch,
        ending: Option<(&str, bool)>,
        history: Option<History<'_>>,
    ) -> Result<()> {
        let live = &*self.live;
        let runs = &live.services.runs;
        match ending {
            Some((ending, cancel_seen)) => {
                self.retry(|| runs.seal(&live.record.id, live.token, last.clone(), ending, cancel_seen))
                    .await?;
            }
            None => {
                self.retry(|| runs.append(&live.record.id, live.token, last.clone())).await?;
            }
        }
        if let Some(history) = history {
            history.append().await;
        }
        steer::forget_taken(live).await
    }

    async fn finish(
        &self,
        last: &Batch,
        status: &Status,
        history: Option<History<'_>>,
    ) -> Result<Option<Grant>> {
        let live = &*self.live;
        let run = FinishRun::new(live.record.id.clone(), live.token, last.clone(), status.clone())
            .with_next(self.runner.next_owner().cloned())
            .with_cancel_seen(knows_cancel(status))
            .with_history(history.as_ref().and_then(History::batch));
        let finished = self.retry(|| live.services.runs.finish(run.clone())).await?;
        if let (Some(history), Err(error)) = (history, finished.history) {
            history.is_missing(&error);
        }
        Ok(finished.granted)
    }
}

/// Whether a run that ends like this would end no other way if it was asked to stop.
fn knows_cancel(status: &Status) -> bool {
    matches!(status, Status::Canceled | Status::Incomplete)
}
