//! Executes runs that were started before: their turn has come, or the process that executed them has died.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{ErrorBody, RunId};
use agent_services::ErrorKind;
use agent_services::run::{Batch, FencingToken, Grant, RunRecord};
use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;

use super::Runner;
use super::run_task::{AppendBuffer, RunTask, Task};
use crate::agent::Recovery;
use crate::assemble::Assembler;
use crate::live::{LiveRun, LogWriter};

/// How much of a log is read in one call.
const PAGE_BYTES: usize = 1024 * 1024;

/// How often a run is taken over before it is given up: its agent may be what kills the process.
const MAX_EPOCHS: usize = 5;

/// The minimum time for a reader to register after the run's turn has come.
const FIRST_READER: Duration = Duration::from_secs(2);

/// Everything needed to execute a run.
pub(super) struct Start {
    pub(super) record: RunRecord,
    pub(super) token: FencingToken,
    pub(super) assembler: Assembler,
    /// The first entry that is not only in the store.
    pub(super) stored: u64,
    pub(super) task: Task,
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

impl Runner {
    /// Creates the live run and its task.
    pub(super) fn prepare(&self, start: Start) -> (Arc<LiveRun>, RunTask) {
        let Start { record, token, assembler, stored, task, permit } = start;
        let inner = &*self.0;
        let cancel = inner.stop.child_token();
        if record.cancel_requested {
            cancel.cancel();
        }
        let earlier = if record.epochs.is_empty() { Vec::new() } else { assembler.whole_messages() };
        let log = LogWriter::new(assembler, inner.limits.log_bytes);
        let services = inner.services.clone();
        let live = Arc::new(LiveRun::new(record, token, services, cancel, log, (stored, earlier)));
        inner.live.lock().insert(live.record.id.clone(), Arc::clone(&live));
        let buffer = Mutex::new(AppendBuffer::new(live.record.options.durability));
        let cancel_after = live.record.options.cancel_after();
        let runner = self.clone();
        let task = RunTask { runner, live: Arc::clone(&live), task, cancel_after, permit, buffer };
        (live, task)
    }

    /// Executes a run whose turn has come.
    pub(crate) fn execute_later(&self, grant: Grant) {
        let runner = self.clone();
        self.0.tasks.spawn(async move {
            // The run belongs to this process now, so no other process will recover it.
            if let Err(error) = runner.patiently(&grant.id, || runner.execute(&grant)).await {
                tracing::error!(run.id = %grant.id, error = %error, "could not execute a run");
            }
        });
    }

    /// Continues or ends a run if it is an orphan.
    pub(crate) fn recover_later(&self, id: RunId) {
        let runner = self.clone();
        self.0.tasks.spawn(async move { runner.recover(&id).await });
    }

    async fn recover(&self, id: &RunId) {
        let Some(_guard) = self.recovery_guard(id) else { return };
        let (runs, owner) = (&self.0.services.runs, &self.0.owner);
        let recovered = match self.patiently(id, || runs.take_over(id, owner)).await {
            Ok(Some(token)) => {
                tracing::info!(run.id = %id, "took over an orphaned run");
                let grant = Grant { id: id.clone(), token };
                self.patiently(id, || self.execute(&grant)).await
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = recovered {
            tracing::error!(run.id = %id, error = %error, "could not take over a run");
        }
    }

    async fn execute(&self, grant: &Grant) -> agent_services::Result<()> {
        let Some(record) = self.0.services.runs.get(&grant.id).await? else { return Ok(()) };
        let log = self.read_log(&grant.id).await?;
        let epoch = record.epochs.len() as u64 + 1;
        let stored = log.last().map_or(0, Batch::end);
        let assembler = resume(&log, epoch)?;
        let task = self.task_of(&record, &assembler);
        let token = grant.token;
        let start = Start { record, token, assembler, stored, task, permit: None };
        let (live, mut task) = self.prepare(start);
        // It has no reader here yet. Readers in other processes register in the store, and may be about to.
        if let Some(grace) = &mut task.cancel_after {
            *grace = (*grace).max(FIRST_READER);
        }
        live.tail.note_abandoned();
        // Input handed to the previous process still has to be taken.
        live.steering.note_arrived();
        self.0.tasks.spawn(task.run());
        Ok(())
    }

    async fn read_log(&self, id: &RunId) -> agent_services::Result<Vec<Batch>> {
        let (mut log, mut from) = (Vec::new(), 0);
        while let Some(page) = self.0.services.runs.read(id, from, PAGE_BYTES).await? {
            let Some(last) = page.batches.last() else { break };
            from = last.end();
            log.extend(page.batches);
        }
        Ok(log)
    }

    /// What remains to be done for a run.
    fn task_of(&self, record: &RunRecord, assembler: &Assembler) -> Task {
        if let Some(ending) = record.ending.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
            return Task::Complete(ending);
        }
        // Only the first event was written: the agent never started.
        let is_fresh = assembler.next() <= 1;
        if record.cancel_requested && is_fresh {
            return Task::Cancel;
        }
        let Some((_, agent)) = self.0.agents.iter().find(|(name, _)| *name == record.agent) else {
            return Task::GiveUp(interrupted(&format!("the agent '{}' is no longer served", record.agent)));
        };
        let may_go_on = match agent.recovery() {
            _ if is_fresh => true,
            Recovery::Continue => true,
            Recovery::StartOver => assembler.whole_messages().is_empty(),
            Recovery::GiveUp => false,
        };
        if record.epochs.len() > MAX_EPOCHS {
            return Task::GiveUp(interrupted("the server stopped too many times during the run"));
        }
        if may_go_on && !record.cancel_requested {
            Task::Work(Arc::clone(agent))
        } else {
            Task::GiveUp(interrupted("the server stopped during the run"))
        }
    }
}

fn resume(log: &[Batch], epoch: u64) -> agent_services::Result<Assembler> {
    Assembler::resume(log, epoch).map_err(|error| {
        let message = "an entry of the run's log is damaged";
        agent_services::Error::new(ErrorKind::Unexpected, "continue a run", message).with_source(error)
    })
}

/// The error of a run that is given up.
fn interrupted(reason: &str) -> ErrorBody {
    agent_schemas::Error::RunInterrupted { reason: reason.to_owned() }.to_body()
}
