//! Runs in memory: the reference backend.

mod ending;
mod leases;
mod log;
mod retention_queue;
mod session_queue;
mod state;
mod steps;
mod store;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::json::JsonSize;
use agent_schemas::{RunId, SessionId, Status, UserId};
use foldhash::fast::RandomState;
use parking_lot::{Mutex, RwLock};

use self::log::Log;
use self::retention_queue::{OVERHEAD, Place};
use self::state::State;
use super::wakeups::Wakeups;
use super::{Batch, FencingToken, Grant, OwnerId, Retention, RunRecord, canceled, no_run};
use crate::context::StoreContext;
use crate::lifecycle::{Started, lifecycle_of};
use crate::memory_budget::{DropOldest, MemoryBudget};
use crate::session::InMemorySessionStore;
use crate::{Error, ErrorKind, Result, Service};

/// Keeps runs in this process's memory: ended runs for ten minutes, and up to 256 MiB of them
/// ([`Self::with_retention`]).
#[derive(Debug)]
pub struct InMemoryRunStore {
    context: StoreContext,
    retention: Retention,
    started: Started,
    budget: Arc<MemoryBudget>,
    // The map is locked for a look-up only; a run's log has its own lock, so that runs do not wait for each other.
    // Clients do not choose the keys, so a fast hash is safe.
    runs: RwLock<HashMap<RunId, Arc<Mutex<StoredRun>>, RandomState>>,
    /// Locked before a run's own lock.
    state: Mutex<State>,
    wakeups: Wakeups,
    /// The sessions that change in the same step as runs.
    sessions: Option<Arc<InMemorySessionStore>>,
}

#[derive(Debug)]
struct StoredRun {
    record: RunRecord,
    log: Log,
    token: FencingToken,
    /// The process that executes it; `None` while it waits.
    owner: Option<OwnerId>,
    /// Its steps by their keys, and their size in bytes.
    steps: BTreeMap<String, String>,
    step_bytes: u64,
    /// The result of its end, for repeated calls.
    granted: Option<Grant>,
    /// The idempotency keys that refer to it.
    keys: Vec<String>,
    /// When its last reader expires, in Unix seconds.
    reader_until: i64,
    /// Its place among the ended runs.
    place: Option<Place>,
    /// Until when it cannot be taken from an owner that took it over, in Unix seconds.
    taken_until: i64,
    /// The approximate size of its request and the rest besides the log, and the size as counted in the budget.
    own_bytes: u64,
    held: u64,
}

impl Default for InMemoryRunStore {
    fn default() -> Self {
        InMemoryRunStore::new(StoreContext::default())
    }
}

lifecycle_of!(InMemoryRunStore.started);

impl InMemoryRunStore {
    /// An empty store.
    pub fn new(context: StoreContext) -> Self {
        InMemoryRunStore {
            context,
            retention: Retention::IN_MEMORY,
            started: Started::default(),
            budget: Arc::default(),
            runs: RwLock::default(),
            state: Mutex::default(),
            wakeups: Wakeups::default(),
            sessions: None,
        }
    }

    /// Makes `finish` write the history of these sessions in the same step.
    #[must_use]
    pub fn with_sessions(mut self, sessions: Arc<InMemorySessionStore>) -> Self {
        self.started.set_database(sessions.database());
        self.sessions = Some(sessions);
        self
    }

    /// Sets how long ended runs are kept.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Shares the memory with other stores.
    pub(crate) fn with_budget(mut self, budget: Arc<MemoryBudget>) -> Self {
        self.budget = budget;
        self
    }

    /// Counts the size of a run.
    fn account(&self, run: &mut StoredRun) {
        let bytes = run.own_bytes + run.step_bytes + run.log.bytes() as u64;
        self.budget.change(run.held, bytes);
        run.held = bytes;
    }

    /// The number of runs.
    pub fn len(&self) -> usize {
        self.runs.read().len()
    }

    /// Whether there are no runs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn now(&self) -> i64 {
        self.context.clock.unix_seconds()
    }

    /// The time after this duration; leases of less than a second last one second.
    fn after(&self, time: Duration) -> i64 {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        self.now().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    fn find(&self, id: &RunId) -> Option<Arc<Mutex<StoredRun>>> {
        self.runs.read().get(id).cloned()
    }

    fn find_to_write(&self, operation: &'static str, id: &RunId) -> Result<Arc<Mutex<StoredRun>>> {
        self.started.check(operation, &[])?;
        self.find(id).ok_or_else(|| no_run(operation, id))
    }

    /// Deletes a run; returns whether it existed.
    fn forget(&self, state: &mut State, id: &RunId) -> bool {
        let Some(run) = self.runs.write().remove(id) else { return false };
        let run = run.lock();
        let record = &run.record;
        self.budget.change(run.held, 0);
        state.strike(&record.user_id, &record.session_id, record.number, &run.keys);
        if let Some(place) = run.place {
            state.ended.take(place);
            state.trimmed.take(place);
        }
        self.wakeups.wake(id);
        true
    }

    /// Deletes what exceeds the retention; returns how many runs were deleted.
    fn evict(&self, state: &mut State) -> u64 {
        let (most, now) = (self.retention.bytes, self.now());
        let mut count = 0;
        while let Some(id) = state.ended.next_to_go(most, now).cloned() {
            if self.trim(state, &id, now) {
                continue;
            }
            if !self.forget(state, &id) {
                break;
            }
            count += 1;
        }
        while let Some(id) = state.trimmed.next_to_go(most, now).cloned()
            && self.forget(state, &id)
        {
            count += 1;
        }
        count
    }

    /// Trims the log of an ended run to its last entry if the run is to be kept longer; returns whether it is.
    fn trim(&self, state: &mut State, id: &RunId, now: i64) -> bool {
        let Some(run) = self.find(id) else { return false };
        let mut run = run.lock();
        let (Some(place), Some(until)) = (run.place, run.record.kept_until()) else { return false };
        if until <= now {
            return false;
        }
        run.log.trim();
        run.record.first_entry = run.log.first();
        self.account(&mut run);
        let bytes = run.log.bytes() as u64 + run.step_bytes + run.own_bytes - OVERHEAD;
        run.place = Some(state.note_trimmed(id, place, until, usize::try_from(bytes).unwrap_or(usize::MAX)));
        true
    }

    /// Hands a session to the longest-waiting run.
    fn hand_on(
        &self,
        state: &mut State,
        user: &UserId,
        session: &SessionId,
        next: &OwnerId,
    ) -> Option<Grant> {
        let turns = state.known_queue(user, session)?;
        if turns.active.is_some() {
            return None;
        }
        let id = turns.queue.pop_front()?;
        let run = self.find(&id)?;
        let token = run.lock().begin(next);
        turns.active = Some(id.clone());
        Some(Grant { id, token })
    }
}

impl StoredRun {
    fn check(&self, operation: &'static str, token: FencingToken) -> Result<()> {
        if token == self.token && self.owner.is_some() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, operation, "another process owns the run"))
    }

    /// Rejects an end that is not settled if the caller does not know that the run was asked to stop.
    fn check_end(&self, operation: &'static str, token: FencingToken, cancel_seen: bool) -> Result<()> {
        self.check(operation, token)?;
        let is_settled = self.log.ended || self.record.ending.is_some();
        if self.record.cancel_requested && !is_settled && !cancel_seen {
            return Err(canceled(operation));
        }
        Ok(())
    }

    /// Appends entries; returns whether they are new.
    fn write(&mut self, operation: &'static str, token: FencingToken, batch: Batch) -> Result<bool> {
        self.check(operation, token)?;
        self.extend(operation, batch)
    }

    /// Appends entries without checking the owner; returns whether they are new.
    fn extend(&mut self, operation: &'static str, batch: Batch) -> Result<bool> {
        let is_new = self.log.append(operation, batch)?;
        self.record.entries = self.log.next();
        Ok(is_new)
    }

    /// Ends the log.
    fn end(&mut self, status: Status, now: i64) {
        self.log.end();
        self.record.status = status;
        self.record.ended_at = Some(now);
    }

    /// Grants the right to execute it.
    fn begin(&mut self, owner: &OwnerId) -> FencingToken {
        self.record.status = Status::InProgress;
        self.owner = Some(owner.clone());
        self.token.0 += 1;
        self.token
    }
}

/// The approximate size of a run besides its log, in bytes.
fn own_bytes(record: &RunRecord) -> u64 {
    (JsonSize::of(&*record.request).text() + JsonSize::of(&record.options).text()) as u64 + OVERHEAD
}

/// Ended runs are deleted first, and trimmed runs last.
impl DropOldest for InMemoryRunStore {
    fn oldest(&self) -> Option<(u8, i64)> {
        let state = self.state.lock();
        let age = i64::try_from(self.retention.age.as_secs()).unwrap_or(i64::MAX);
        let ended = state.ended.first().map(|(until, _)| (0, until.saturating_sub(age)));
        ended.or_else(|| state.trimmed.first().map(|(until, _)| (1, until)))
    }

    fn drop_oldest(&self) {
        let mut state = self.state.lock();
        let now = self.now();
        if let Some((_, id)) = state.ended.first() {
            if !self.trim(&mut state, &id, now) {
                self.forget(&mut state, &id);
            }
        } else if let Some((_, id)) = state.trimmed.first() {
            self.forget(&mut state, &id);
        }
    }
}
