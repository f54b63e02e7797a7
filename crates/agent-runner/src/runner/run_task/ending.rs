//! Writes the end of a log.

use agent_schemas::Status;
use agent_services::Result;
use agent_services::run::{Batch, FinishRun, Grant};

use super::RunTask;
use crate::assemble::{Assembler, Ending};
use crate::history::History;
use crate::live::{LogEnd, RunEnd};
use crate::steer;

impl RunTask {
    /// Closes what is open, appends the history to the session, and writes the last event: in one step if the stores
    /// allow. A client that sees the last event may start the next turn, which needs the session's history. Returns the
    /// right to execute the next run of the session.
    pub(super) async fn write_end(&self, ending: &Ending, began: bool) -> Result<Option<Grant>> {
        let live = &*self.live;
        let mut history = if began { History::of(live, ending) } else { None };
        let close_all =
            |assembler: &mut Assembler| assembler.close_all(&ending.status, ending.error.as_ref());
        let has_more_steps =
            live.steering.may_have_taken() || (history.is_some() && !live.services.end_runs_in_one_step());
        let (last, shown) = if has_more_steps {
            let closing = live.log.seal(close_all);
            let kept = began.then(|| serde_json::to_string(ending).unwrap_or_default());
            let unstored = self.unstored(&closing);
            self.write_before_end(&unstored, kept.as_deref(), history.take()).await?;
            let end = live.log.seal(|assembler| assembler.finish(ending));
            // Shown together, so that they are sent in one write.
            (end.clone(), Batch::concat(&[closing, end]))
        } else {
            let end = live.log.seal(|assembler| {
                close_all(assembler);
                assembler.finish(ending);
            });
            (self.unstored(&end), end)
        };
        let granted = self.finish(&last, &ending.status, history).await?;
        let ended = RunEnd { status: ending.status.clone(), http_status: ending.http_status };
        live.tail.publish(Some(shown), Some(LogEnd::Finished(ended)));
        Ok(granted)
    }

    /// What remains to be stored at the end: entries that readers have already seen, and the end.
    fn unstored(&self, closing: &Batch) -> Batch {
        let mut unstored = self.buffer.lock().take_shown();
        unstored.push(closing.clone());
        Batch::concat(&unstored)
    }

    /// Writes everything but the last event, and the final status, so that another process can continue from there.
    async fn write_before_end(
        &self,
        last: &Batch,
        ending: Option<&str>,
        history: Option<History<'_>>,
    ) -> Result<()> {
        let live = &*self.live;
        let runs = &live.services.runs;
        match ending {
            Some(ending) => {
                self.retry(|| runs.seal(&live.record.id, live.token, last.clone(), ending)).await?
            }
            None => self.retry(|| runs.append(&live.record.id, live.token, last.clone())).await?,
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
            .with_history(history.as_ref().and_then(History::batch));
        let finished = self.retry(|| live.services.runs.finish(run.clone())).await?;
        if let (Some(history), Err(error)) = (history, finished.history) {
            history.is_missing(&error);
        }
        Ok(finished.granted)
    }
}
