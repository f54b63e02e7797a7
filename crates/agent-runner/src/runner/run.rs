//! A run that was started or found.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{AgentResponse, Event, RunId, UserId};
use agent_services::page::{Page, PageSize, PageToken};
use agent_services::run::{RunFilter, RunRecord, epoch_has_entry};
use tokio::time::{Instant, timeout_at};

use super::Runner;
use crate::Services;
use crate::cursor::{Cursor, CursorError};
use crate::live::LiveRun;

/// A run. While this value lives, a run of this process counts as having a reader.
pub struct Run {
    id: RunId,
    agent: String,
    from: u64,
    source: Source,
}

enum Source {
    Live { run: Arc<LiveRun>, key: usize },
    Stored { services: Services, record: Box<RunRecord> },
}

/// The usual maximum time until a visible entry is stored, measured while the store answers.
const UNSTORED: Duration = Duration::from_secs(1);

/// Why a log cannot be read from a position.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PositionError {
    /// The log now has another entry at this position, or none yet.
    #[error("the run's log no longer has this position; read it from the beginning")]
    Gone,
    /// Only the last entry of the log is kept.
    #[error("the run's log is no longer kept")]
    Trimmed,
    /// The store failed.
    #[error("could not read the run's log")]
    Store(#[from] agent_services::Error),
}

impl Run {
    pub(super) fn of_live(run: &Arc<LiveRun>, from: u64) -> Self {
        let key = run.tail.add_reader();
        Run {
            id: run.record.id.clone(),
            agent: run.record.agent.clone(),
            from,
            source: Source::Live { run: Arc::clone(run), key },
        }
    }

    pub(super) fn of_stored(runner: &Runner, record: RunRecord) -> Self {
        Run {
            id: record.id.clone(),
            agent: record.agent.clone(),
            from: record.first_entry,
            source: Source::Stored { services: runner.services().clone(), record: Box::new(record) },
        }
    }

    /// The run's id.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The owner of the run.
    pub fn user_id(&self) -> &UserId {
        match &self.source {
            Source::Live { run, .. } => &run.record.user_id,
            Source::Stored { record, .. } => &record.user_id,
        }
    }

    /// The name of the run's agent.
    pub fn agent_name(&self) -> &str {
        &self.agent
    }

    /// Where reading starts: 0, unless the request was handed to a run in progress, or only the last entry is kept.
    pub fn start(&self) -> u64 {
        self.from
    }

    /// Whether only the last entry of the log is kept, which has the whole response.
    pub fn is_trimmed(&self) -> bool {
        self.first_entry() > 0
    }

    fn first_entry(&self) -> u64 {
        match &self.source {
            Source::Live { .. } => 0,
            Source::Stored { record, .. } => record.first_entry,
        }
    }

    /// The same run, read from its next entry on.
    #[must_use]
    pub(super) fn reading_what_is_next(mut self) -> Self {
        self.from = self.entries();
        self
    }

    fn entries(&self) -> u64 {
        match &self.source {
            Source::Live { run, .. } => run.tail.published(),
            Source::Stored { record, .. } => record.entries,
        }
    }

    /// A cursor over the response to the request: the log from [`Self::start`] on.
    ///
    /// # Errors
    /// [`PositionError::Trimmed`] if not all of it is kept.
    pub fn answer_cursor(&self) -> Result<Cursor, PositionError> {
        if self.is_trimmed() { Err(PositionError::Trimmed) } else { Ok(self.cursor(self.from)) }
    }

    /// A cursor over the run's log from entry `from` on.
    pub fn cursor(&self, from: u64) -> Cursor {
        match &self.source {
            Source::Live { run, .. } => Cursor::of_live(Arc::clone(run), from),
            Source::Stored { services, .. } => Cursor::of_stored(services.clone(), self.id.clone(), from),
        }
    }

    /// A cursor over the entries after one that was read in this epoch (see [`agent_schemas::sse::parse_id`]).
    ///
    /// Another process may show an entry before this one learns that it is stored, and with
    /// [`Durability::Relaxed`](crate::Durability::Relaxed) even before it is stored. So this waits for a missing
    /// entry, for a second after the store has first reported it missing. If the store does not answer, this waits
    /// until the call fails.
    ///
    /// # Errors
    /// [`PositionError`] if the log now has another entry at this position, or none, if what follows is no longer kept,
    /// or if the store fails.
    pub async fn cursor_after(&self, number: u64, epoch: u64) -> Result<Cursor, PositionError> {
        if number.saturating_add(1) < self.first_entry() {
            return Err(PositionError::Trimmed);
        }
        let is_known = match &self.source {
            Source::Live { run, .. } => epoch_has_entry(&run.record.epochs, number, epoch),
            Source::Stored { record, .. } => record.has_entry_of_epoch(number, epoch),
        };
        if is_known && number < self.entries() {
            return Ok(self.cursor(number + 1));
        }
        let found = self.record_with(number).await?;
        found
            .filter(|record| record.has_entry_of_epoch(number, epoch) && number < record.entries)
            .map(|_| match &self.source {
                Source::Live { run, .. } if is_known => Cursor::of_live(Arc::clone(run), number + 1),
                _ => Cursor::of_stored(self.services().clone(), self.id.clone(), number + 1),
            })
            .ok_or(PositionError::Gone)
    }

    /// The record once the log has an entry, will never have it, or did not get it in time. The store's last
    /// answer counts; its silence is never taken for an answer.
    async fn record_with(&self, number: u64) -> agent_services::Result<Option<RunRecord>> {
        let runs = &self.services().runs;
        let mut deadline = None;
        loop {
            let asked = Instant::now();
            let found = runs.get(&self.id).await?;
            let is_missing = |record: &RunRecord| record.entries <= number && !record.status.is_final();
            let until = *deadline.get_or_insert_with(|| Instant::now() + UNSTORED);
            if !found.as_ref().is_some_and(is_missing) || until <= asked {
                return Ok(found);
            }
            if let Ok(waited) = timeout_at(until, runs.wait(&self.id, number)).await {
                waited?;
            }
        }
    }

    fn services(&self) -> &Services {
        match &self.source {
            Source::Live { run, .. } => &run.services,
            Source::Stored { services, .. } => services,
        }
    }

    /// Waits for the end and returns the final response.
    ///
    /// # Errors
    /// [`CursorError`] if the log cannot be read to its end.
    pub async fn response(&self) -> Result<AgentResponse, CursorError> {
        let mut cursor = self.cursor(self.first_entry());
        let mut last = None;
        while let Some(events) = cursor.next_events().await {
            last = events?.pop();
        }
        match last {
            Some(Event::Response(response)) => Ok(response),
            _ => Err(CursorError::Lost),
        }
    }

    /// Cancels a run of this process; its log ends as `canceled` once the agent has stopped. For any run, use
    /// [`Runner::cancel`].
    pub fn cancel(&self) {
        if let Source::Live { run, .. } = &self.source {
            run.cancel.cancel();
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Source::Live { run, key } = &self.source {
            run.remove_reader(*key);
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("id", &self.id).field("agent", &self.agent).finish_non_exhaustive()
    }
}

impl Runner {
    /// Finds a run by its id, whichever process executes it; `None` if it does not exist or is no longer kept.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn attach(&self, id: &RunId) -> agent_services::Result<Option<Run>> {
        // An ended run that still has readers here may have been deleted by another process.
        if let Some(live) = self.live(id).filter(|live| live.tail.end().is_none()) {
            return Ok(Some(Run::of_live(&live, 0)));
        }
        let record = self.services().runs.get(id).await?;
        Ok(record.map(|record| Run::of_stored(self, record)))
    }

    /// Returns a run's record.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn record(&self, id: &RunId) -> agent_services::Result<Option<RunRecord>> {
        self.services().runs.get(id).await
    }

    /// Lists a user's runs, newest first.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn list(
        &self,
        user: &UserId,
        filter: &RunFilter,
        after: Option<PageToken>,
        size: PageSize,
    ) -> agent_services::Result<Page<RunRecord>> {
        self.services().runs.list(user, filter, after, size).await
    }
}
