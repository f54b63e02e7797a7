//! The context of a run: the messages of the runs that it continues.
//!
//! A run that continues another stores a link to it and only its own input. The context is read along these links, a
//! page of runs at a time, whenever it is needed: when the run starts, and when another process executes it. A link is
//! stored only if all runs that it leads to are kept long enough; otherwise the run stores the whole context itself and
//! begins a new chain.

use std::sync::Arc;

use agent_schemas::{AgentRequest, Event, Message, RunId, RunOptions, sse};
use agent_services::run::{ChainedRun, Retention, RunRecord};

use super::Runner;

/// Roughly how many bytes of a chain are read at once.
const PAGE_BYTES: usize = 256 << 10;

/// The maximum number of runs in a chain. The next run stores the whole context itself, so that no request needs more
/// reads.
const MAX_RUNS: usize = 256;

/// The context of a run: the inputs and outputs of the runs that it continues.
#[derive(Clone, Debug)]
pub struct RunContext {
    messages: Vec<Message>,
    /// The run that is continued, and its owner.
    previous: RunRecord,
    /// How many runs were read.
    runs: usize,
    /// Until when all of them are kept, in Unix seconds.
    kept_until: i64,
}

/// Why a run cannot be continued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// It does not exist, no longer exists, or may not be continued.
    #[error("the run {0} does not exist")]
    Missing(RunId),
    /// It exists, but not all that it continues: the context would have a gap.
    #[error("the run continues {0}, which is no longer kept")]
    Gap(RunId),
    /// It has not ended.
    #[error("the run {0} has not ended yet")]
    Unfinished(RunId),
    /// Part of its stored data cannot be read. The text is for the server's log.
    #[error("the stored data of the run {0} cannot be read")]
    Damaged(RunId, String),
    /// The store failed.
    #[error("the context could not be read")]
    Store(#[from] agent_services::Error),
}

impl RunContext {
    /// The messages, in order.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The record of the run that is continued.
    pub fn previous(&self) -> &RunRecord {
        &self.previous
    }

    /// Decides how much of this a new run stores. Returns the request to store, and the one for the agent.
    pub(super) fn add_to(
        self,
        request: AgentRequest,
        options: &mut RunOptions,
        (retention, now): (Retention, i64),
    ) -> (Arc<AgentRequest>, Arc<AgentRequest>) {
        let inherited = self.messages.len();
        let is_linked = self.runs < MAX_RUNS && self.outlives(options, retention, now);
        let previous = self.previous.id.clone();
        let whole = Arc::new(self.before(request.clone()));
        if is_linked {
            options.continues = Some(previous);
            (Arc::new(request), whole)
        } else {
            options.inherited = inherited;
            (Arc::clone(&whole), whole)
        }
    }

    /// Returns whether it is kept for at least three quarters of the retention of a new run. Conversations that
    /// outlast the retention of runs are thus stored again occasionally, but not with each turn.
    fn outlives(&self, options: &RunOptions, retention: Retention, now: i64) -> bool {
        let time = retention.age.max(options.response_ttl).as_secs();
        let wanted = i64::try_from(time).unwrap_or(i64::MAX) / 4 * 3;
        now.saturating_add(wanted) <= self.kept_until
    }

    /// The request with this context before its input.
    fn before(self, mut request: AgentRequest) -> AgentRequest {
        let mut input = self.messages;
        // Of exactly the right size: a run keeps its request as long as it lives.
        input.reserve_exact(request.input.len());
        input.append(&mut request.input);
        request.input = input;
        request
    }
}

impl Runner {
    /// Reads the context of a run that continues another one. `may_continue` decides whether that one may be continued.
    ///
    /// # Errors
    /// [`ContextError`] if that run does not exist or has not ended, if a run that it continues is no longer
    /// kept, or if the store fails.
    pub async fn context(
        &self,
        previous: &RunId,
        may_continue: impl Fn(&RunRecord) -> bool,
    ) -> Result<RunContext, ContextError> {
        let services = self.services();
        let retention = services.runs.retention().age;
        let mut chain: Vec<ChainedRun> = Vec::new();
        let mut next = Some(previous.clone());
        while let Some(id) = next {
            let page = services.runs.chain(&id, PAGE_BYTES).await?;
            let Some(first) = page.first() else {
                return Err(if chain.is_empty() { ContextError::Missing(id) } else { ContextError::Gap(id) });
            };
            if chain.is_empty() && !may_continue(&first.record) {
                return Err(ContextError::Missing(id));
            }
            if let Some(run) = page.iter().find(|run| run.record.damage.is_some()) {
                // The unreadable run may be one that this run continues.
                let damage = run.record.damage.clone().unwrap_or_default();
                return Err(ContextError::Damaged(run.record.id.clone(), damage));
            }
            chain.extend(page);
            if chain.len() > 2 * MAX_RUNS {
                return Err(ContextError::Damaged(previous.clone(), "its chain has no end".to_owned()));
            }
            next = chain.last().and_then(|last| last.record.options.continues.clone());
        }
        let mut messages = Vec::new();
        let mut kept_until = i64::MAX;
        for ChainedRun { record, last, .. } in chain.iter().rev() {
            if !record.status.is_final() {
                return Err(ContextError::Unfinished(record.id.clone()));
            }
            kept_until = record.kept_at_least_until(retention).unwrap_or(i64::MIN).min(kept_until);
            messages.extend_from_slice(&record.request.input);
            let last = last.as_ref().and_then(|last| sse::frames(&last.frames).last());
            let Some(Ok(Event::Response(response))) = last.map(Event::from_slice) else {
                let damage = "the last entry of its log is not a final response".to_owned();
                return Err(ContextError::Damaged(record.id.clone(), damage));
            };
            messages.extend(response.output.unwrap_or_default());
        }
        let runs = chain.len();
        let Some(first) = chain.into_iter().next() else {
            return Err(ContextError::Missing(previous.clone()));
        };
        Ok(RunContext { messages, previous: first.record, runs, kept_until })
    }

    /// Adds the context of a stored run before its input, for the agent that is about to execute it.
    ///
    /// # Errors
    /// Those of [`Self::context`].
    pub(super) async fn add_context(&self, record: &mut RunRecord) -> Result<(), ContextError> {
        let Some(previous) = &record.options.continues else { return Ok(()) };
        let context = self.context(previous, |_| true).await?;
        record.options.inherited = context.messages.len();
        record.request = Arc::new(context.before((*record.request).clone()));
        Ok(())
    }
}
