//! Executes runs that were started earlier: runs whose turn has come, and runs of processes that have died.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::id::response_id;
use agent_schemas::{Error, ErrorBody, RunId};
use agent_services::run::{Batch, FencingToken, Grant, RunRecord};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Runner;
use super::context::ContextError;
use super::run_task::{AppendBuffer, RunTask, Task};
use crate::agent::{Agent, AgentError};
use crate::assemble::{Assembler, Ending, ResponseHead};
use crate::budget::request_bytes;
use crate::error_chain::chain;
use crate::live::{Family, LiveRun, LogWriter};
use crate::{Reservation, RunHandle, Services};

/// How much of a log is read in one call.
const PAGE_BYTES: usize = 1024 * 1024;

/// How often a run is taken over before it is given up, because its agent may be killing the process.
const MAX_EPOCHS: usize = 5;

/// The minimum time for a reader to register after the run's turn has come.
const FIRST_READER: Duration = Duration::from_secs(2);

/// Everything needed to execute a run.
pub(super) struct Start {
    pub(super) record: RunRecord,
    pub(super) token: FencingToken,
    pub(super) assembler: Assembler,
    /// The first entry that is kept here, and not only in the store.
    pub(super) stored: u64,
    pub(super) task: Task,
    pub(super) permit: Option<OwnedSemaphorePermit>,
    /// The slots of the family that a child belongs to.
    pub(super) family_slots: Option<Arc<Semaphore>>,
    /// The memory reserved for the request.
    pub(super) memory: Reservation,
}

impl Runner {
    /// Creates the live run and its task.
    pub(super) fn prepare(&self, start: Start) -> (Arc<LiveRun>, RunTask) {
        let Start { record, token, assembler, stored, task, permit, family_slots, memory } = start;
        let inner = &*self.0;
        let cancel = inner.stop.child_token();
        if record.cancel_requested {
            cancel.cancel();
        }
        let earlier = if record.epochs.is_empty() { Vec::new() } else { assembler.whole_messages() };
        let log = LogWriter::new(assembler, inner.limits.log_bytes, memory);
        let log = log.in_memory(inner.services.runs.keeps_logs_in_memory());
        let services = inner.services.clone();
        let family = family_slots.map_or_else(Family::default, |slots| Family::of_child(slots, &cancel));
        let live = Arc::new(LiveRun::new(record, token, services, (cancel, family), log, (stored, earlier)));
        inner.live.lock().insert(live.record.id.clone(), Arc::clone(&live));
        let buffer = Mutex::new(AppendBuffer::new(live.record.options.durability));
        let cancel_after = live.record.options.cancel_after();
        let unstored = Mutex::new(inner.unstored.reservation());
        let runner = self.clone();
        let task = RunTask { runner, live: Arc::clone(&live), task, cancel_after, permit, buffer, unstored };
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
        let recovered = match self.take_over(id).await {
            Ok(Some(token)) => {
                tracing::info!(run.id = %id, "an orphaned run is taken over");
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
        let Some(mut record) = self.0.services.runs.get(&grant.id).await? else { return Ok(()) };
        let epoch = record.epochs.len() as u64 + 1;
        let (assembler, unreadable) = take_up(&self.0.services, &record, epoch).await?;
        let stored = assembler.next();
        let gap = match self.add_context(&mut record).await {
            Ok(()) => None,
            Err(ContextError::Store(error)) => return Err(error),
            Err(ContextError::Damaged(_, damage)) => {
                record.damage.get_or_insert(damage);
                None
            }
            Err(gap) => Some(format!("the context of the run is no longer kept: {gap}")),
        };
        // A run whose end is settled needs no request.
        let is_settled = unreadable.is_none() && ending_of(&record).is_some();
        let task = match (record.damage.clone().or(unreadable), gap) {
            (None, None) => self.task_of(&record, &assembler),
            _ if is_settled => self.task_of(&record, &assembler),
            (Some(damage), _) => {
                tracing::error!(run.id = %record.id, error = damage, "the stored data of a run cannot be read; ending the run");
                Task::Fail(Error::RunDamaged {})
            }
            // Without its context, the agent would answer a different question.
            (None, Some(gap)) => Task::GiveUp(interrupted(&gap)),
        };
        let token = grant.token;
        // The run was already admitted, here or elsewhere.
        let mut memory = self.0.memory.reservation();
        memory.set(request_bytes(&record.request));
        let start =
            Start { record, token, assembler, stored, task, permit: None, family_slots: None, memory };
        let (live, mut task) = self.prepare(start);
        // The run has no reader here yet. Readers in other processes register in the store, or may be about to.
        if let Some(grace) = &mut task.cancel_after {
            *grace = (*grace).max(FIRST_READER);
        }
        live.tail.note_abandoned();
        // Input handed to the previous process still has to be taken.
        live.steering.note_arrived();
        self.0.tasks.spawn(task.run());
        Ok(())
    }

    /// What remains to be done for a run.
    fn task_of(&self, record: &RunRecord, assembler: &Assembler) -> Task {
        if let Some(ending) = ending_of(record) {
            return Task::Complete(ending);
        }
        // Only the first event was written: the agent never started.
        let is_fresh = assembler.next() <= 1;
        if record.cancel_requested {
            return Task::Cancel { began: !is_fresh };
        }
        let Some((_, agent)) = self.0.agents.iter().find(|(name, _)| *name == record.agent) else {
            return Task::GiveUp(interrupted(&format!("the agent '{}' is no longer served", record.agent)));
        };
        if record.options.parent.is_some() {
            return Task::GiveUp(interrupted("the server that executed its parent stopped"));
        }
        let may_go_on = is_fresh || agent.recovery().allows(!assembler.whole_messages().is_empty());
        if record.epochs.len() > MAX_EPOCHS {
            return Task::GiveUp(interrupted("the server stopped too many times during the run"));
        }
        if may_go_on {
            work_of(record, agent)
        } else {
            Task::GiveUp(interrupted("the server stopped during the run"))
        }
    }
}

/// The work of a run's agent. A run that only prepares its input has none.
pub(super) fn work_of(record: &RunRecord, agent: &Arc<dyn Agent>) -> Task {
    Task::Work(if record.options.prepares_only { Arc::new(Idle) } else { Arc::clone(agent) })
}

/// An agent that does nothing.
#[derive(Debug)]
struct Idle;

#[async_trait]
impl Agent for Idle {
    async fn run(&self, _run: RunHandle) -> Result<(), AgentError> {
        Ok(())
    }
}

/// The ending of a run that only lacks its last event.
fn ending_of(record: &RunRecord) -> Option<Ending> {
    record.ending.as_deref().and_then(|text| serde_json::from_str(text).ok())
}

/// Resumes the log of a run. If it cannot be read, only its number of entries is known, and the reason is returned
/// too.
pub(super) async fn take_up(
    services: &Services,
    record: &RunRecord,
    epoch: u64,
) -> agent_services::Result<(Assembler, Option<String>)> {
    let unreadable = match read_log(services, &record.id).await {
        Err(error) if error.is_retryable() => return Err(error),
        Err(error) => chain(&error),
        Ok(log) => match Assembler::resume(&log, epoch) {
            Ok(assembler) => return Ok((assembler, None)),
            Err(error) => chain(&error),
        },
    };
    let head = ResponseHead {
        id: response_id(&*services.ids),
        created_at: record.created_at,
        session_id: record.session_id.to_string(),
    };
    Ok((Assembler::after_unreadable(head, record.entries, epoch), Some(unreadable)))
}

/// The whole log of a run.
async fn read_log(services: &Services, id: &RunId) -> agent_services::Result<Vec<Batch>> {
    let (mut log, mut from) = (Vec::new(), 0);
    while let Some(page) = services.runs.read(id, from, PAGE_BYTES).await? {
        let Some(last) = page.batches.last() else { break };
        from = last.end();
        log.extend(page.batches);
    }
    Ok(log)
}

/// The error of a run that is given up.
fn interrupted(reason: &str) -> ErrorBody {
    Error::RunInterrupted { reason: reason.to_owned() }.to_body()
}
