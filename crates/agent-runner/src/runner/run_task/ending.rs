//! The end of a log.

use agent_schemas::Status;
use agent_services::run::{Batch, FinishRun, Grant};
use agent_services::{ErrorKind, Result};

use super::RunTask;
use crate::assemble::Ending;
use crate::history::History;
use crate::live::{LogEnd, RunEnd};
use crate::steer;

impl RunTask {
    /// Closes what is open, appends the history to the session, and writes the last event: in one step if the stores can. A
    /// client that sees the last event may start the next turn, which needs the session's history; where the session does
    /// not have it, the last event says so. Returns the right to execute the next run of the session.
    pub(super) async fn write_end(&self, mut ending: Ending, began: bool) -> Result<Option<Grant>> {
        let live = &*self.live;
        let mut history = if began { History::of(live, &ending) } else { None };
        let has_more_steps =
            live.steering.may_have_taken() || (history.is_some() && !live.services.end_runs_in_one_step());
        let closing = live.log.seal(|assembler| assembler.close_all(&ending.status, ending.error.as_ref()));
        let mut unstored = self.unstored(&closing);
        if has_more_steps {
            let kept = began.then(|| serde_json::to_string(&ending).unwrap_or_default());
            self.write_before_end(&unstored, kept.as_deref()).await?;
            unstored = Batch::empty(unstored.end());
            if let Some(history) = history.take()
                && let Err(warning) = history.append().await
            {
                ending.warnings.push(warning);
            }
            steer::forget_taken(live).await?;
        } else {
            unstored = self.append_beginning(&unstored).await?;
        }
        let mut end = live.log.seal(|assembler| assembler.finish(&ending));
        let mut finished = self.finish(&unstored, &end, &ending.status, history.as_ref()).await;
        if let (Some(history), Err(error)) = (history, &finished)
            && error.kind() == ErrorKind::InvalidInput
        {
            // Nothing was changed: the session does not take it.
            ending.warnings.push(history.is_missing(error));
            end = live.log.seal(|assembler| {
                assembler.take_back_end();
                assembler.finish(&ending);
            });
            finished = self.finish(&unstored, &end, &ending.status, None).await;
        }
        let granted = finished?;
        let ended = RunEnd { status: ending.status, http_status: ending.http_status };
        // Shown together, so that they leave in one write.
        live.tail.publish(Some(Batch::concat(&[closing, end])), Some(LogEnd::Finished(ended)));
        Ok(granted)
    }

    /// What is left to store at the end: what readers have already seen, and what follows.
    fn unstored(&self, closing: &Batch) -> Batch {
        let mut unstored = self.buffer.lock().take_shown();
        unstored.push(closing.clone());
        Batch::concat(&unstored)
    }

    /// Writes all but the last event, and how the run ends, so that another process can continue from there.
    async fn write_before_end(&self, last: &Batch, ending: Option<&str>) -> Result<()> {
        let live = &*self.live;
        let runs = &live.services.runs;
        let last = self.append_beginning(last).await?;
        match ending {
            Some(ending) => self.retry(|| runs.seal(&live.record.id, live.token, last.clone(), ending)).await,
            None => self.retry(|| runs.append(&live.record.id, live.token, last.clone())).await,
        }
    }

    /// Ends the log with what is not stored of it and its last event.
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
            .with_history(history.map(History::batch).transpose()?);
        Ok(self.retry(|| live.services.runs.finish(run.clone())).await?.granted)
    }
}
