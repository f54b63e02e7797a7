//! The run store's contract, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::json::JsonSize;
use agent_schemas::{RunId, SessionId, Status, UserId};
use async_trait::async_trait;
use parking_lot::Mutex;

use super::log::Log;
use super::state::State;
use super::{InMemoryRunStore, StoredRun, own_bytes};
use crate::page::{Page, PageSize, PageToken};
use crate::run::{
    Batch, Canceled, Created, FencingToken, FinishRun, Finished, LogChunk, NewRun, OwnerId, Retention,
    RunFilter, RunRecord, RunStore, SessionPolicy, Step, Written, no_lease,
};
use crate::shrink::shrink;
use crate::{Error, ErrorKind, Result};

/// How a session treats a new run.
enum Turn {
    Now,
    Later { ahead: u64 },
    Handed(RunId),
    Not(Created),
}

impl InMemoryRunStore {
    /// Assigns a new run its place in its session.
    fn take_turn(&self, state: &mut State, run: &NewRun) -> Turn {
        let record = &run.record;
        let policy = record.options.session_policy;
        if policy == SessionPolicy::Concurrent {
            return Turn::Now;
        }
        let turns = state.queue(&record.user_id, &record.session_id);
        let Some(first) = turns.active.as_ref().or(turns.queue.front()) else {
            turns.active = Some(record.id.clone());
            return Turn::Now;
        };
        if policy == SessionPolicy::Reject {
            return Turn::Not(Created::Busy(first.clone()));
        }
        let request_bytes = |record: &RunRecord| JsonSize::of(&*record.request).text() as u64;
        let bytes_of = |id: &RunId| self.find(id).map_or(0, |run| request_bytes(&run.lock().record));
        let queued_bytes = turns.queue.iter().chain(&turns.steered).map(bytes_of).sum();
        if run.overfills(turns.waiting(), queued_bytes, request_bytes(record)) {
            return Turn::Not(Created::QueueFull);
        }
        match (policy, turns.active.clone()) {
            (SessionPolicy::Steer, Some(active)) => {
                turns.steered.push(record.id.clone());
                self.tell(&active, |_| ());
                Turn::Handed(active)
            }
            (SessionPolicy::Interrupt, active) => {
                turns.queue.push_front(record.id.clone());
                if let Some(active) = &active {
                    self.tell(active, |run| run.record.cancel_requested |= run.record.ending.is_none());
                }
                Turn::Later { ahead: u64::from(active.is_some()) }
            }
            (_, active) => {
                turns.queue.push_back(record.id.clone());
                let ahead = turns.waiting() - 1 + usize::from(active.is_some());
                Turn::Later { ahead: ahead as u64 }
            }
        }
    }

    /// Changes a run in progress and signals its owner.
    fn tell(&self, id: &RunId, change: impl FnOnce(&mut StoredRun)) {
        let Some(run) = self.find(id) else { return };
        let mut run = run.lock();
        change(&mut run);
        if let Some(owner) = &run.owner {
            self.wakeups.signal(owner, id);
        }
    }

    fn key_says(state: &State, run: &NewRun) -> Option<Created> {
        let key = run.key.as_ref()?;
        match state.key(&run.record.user_id, &key.key) {
            Some(known) if known.fingerprint == key.fingerprint => Some(Created::Repeated(known.run.clone())),
            Some(_) => Some(Created::KeyReused),
            None => key.is_repeated.then_some(Created::KeyUnknown),
        }
    }

    /// Whether a run that should be executed has no live owner.
    fn is_orphan(&self, state: &mut State, run: &StoredRun) -> bool {
        let record = &run.record;
        match record.status {
            Status::Queued => {
                let turns = state.known_queue(&record.user_id, &record.session_id);
                turns.is_some_and(|turns| turns.is_head(&record.id))
            }
            Status::InProgress => {
                !run.owner.as_ref().is_some_and(|owner| state.leases.lives(owner, self.now()))
            }
            _ => false,
        }
    }
}

#[async_trait]
impl RunStore for InMemoryRunStore {
    async fn create(&self, run: NewRun) -> Result<Created> {
        const OPERATION: &str = "create a run";
        let key = run.key.as_ref().map_or("", |key| key.key.as_str());
        let (user, session) = (run.record.user_id.clone(), run.record.session_id.clone());
        self.started.check(OPERATION, &[user.as_str(), session.as_str(), key])?;
        run.record.check(OPERATION)?;
        self.budget.admit(OPERATION)?;
        let own_bytes = own_bytes(&run.record);
        let mut state = self.state.lock();
        if let Some(known) = Self::key_says(&state, &run) {
            return Ok(known);
        }
        let id = run.record.id.clone();
        if self.find(&id).is_some() {
            let message = format!("run {id} already exists");
            return Err(Error::new(ErrorKind::AlreadyExists, OPERATION, message));
        }
        // Entries that do not start a log are rejected before anything is changed.
        let mut log = Log::default();
        log.append(OPERATION, run.first.clone())?;
        let turn = self.take_turn(&mut state, &run);
        let created = match &turn {
            Turn::Not(created) => {
                state.tidy(&user, &session);
                return Ok(created.clone());
            }
            Turn::Now => Created::Started(FencingToken(1)),
            Turn::Later { ahead } => Created::Queued { ahead: *ahead },
            Turn::Handed(active) => Created::Steered(active.clone()),
        };
        let mut record = run.record;
        record.number = state.enroll(&user, &id);
        let leads_to = if let Turn::Handed(active) = &turn { active } else { &id };
        let mut keys = Vec::new();
        if let Some(key) = run.key {
            keys.push(key.key.clone());
            state.keep_key(&user, key, leads_to);
        }
        if let Turn::Handed(active) = &turn
            && let Some(active) = self.find(active)
        {
            active.lock().keys.append(&mut keys);
        }
        record.entries = log.next();
        record.status = Status::Queued;
        let mut stored = StoredRun {
            record,
            log,
            token: FencingToken(0),
            owner: None,
            steps: BTreeMap::new(),
            step_bytes: 0,
            granted: None,
            keys,
            reader_until: i64::MIN,
            place: None,
            taken_until: i64::MIN,
            own_bytes,
            held: 0,
        };
        self.account(&mut stored);
        if matches!(turn, Turn::Now) {
            stored.begin(&run.owner);
        }
        self.runs.write().insert(id, Arc::new(Mutex::new(stored)));
        Ok(created)
    }

    async fn get(&self, id: &RunId) -> Result<Option<RunRecord>> {
        self.started.check("get a run", &[])?;
        Ok(self.find(id).map(|run| run.lock().record.clone()))
    }

    async fn append(&self, id: &RunId, token: FencingToken, batch: Batch) -> Result<Written> {
        const OPERATION: &str = "append to a run";
        let run = self.find_to_write(OPERATION, id)?;
        let written = {
            let mut run = run.lock();
            run.write(OPERATION, token, batch)?;
            self.account(&mut run);
            Written::new(run.record.cancel_requested)
        };
        self.wakeups.wake(id);
        Ok(written)
    }

    async fn seal(
        &self,
        id: &RunId,
        token: FencingToken,
        batch: Batch,
        ending: &str,
        cancel_seen: bool,
    ) -> Result<()> {
        const OPERATION: &str = "seal a run";
        let run = self.find_to_write(OPERATION, id)?;
        {
            let mut run = run.lock();
            run.check_end(OPERATION, token, cancel_seen)?;
            run.write(OPERATION, token, batch)?;
            self.account(&mut run);
            if run.record.ending.is_none() {
                run.record.ending = Some(ending.to_owned());
            }
        }
        self.wakeups.wake(id);
        Ok(())
    }

    async fn finish(&self, run: FinishRun) -> Result<Finished> {
        self.end(run)
    }

    async fn read(&self, id: &RunId, from: u64, max_bytes: usize) -> Result<Option<LogChunk>> {
        self.started.check("read a run", &[])?;
        Ok(self.find(id).and_then(|run| run.lock().log.read(from, max_bytes)))
    }

    async fn wait(&self, id: &RunId, from: u64) -> Result<()> {
        self.started.check("wait for a run", &[])?;
        let mut reader = self.wakeups.reader(id);
        let is_there = self.find(id).is_none_or(|run| {
            let run = run.lock();
            run.log.ended || run.log.next() > from
        });
        if !is_there {
            reader.woken().await;
        }
        Ok(())
    }

    async fn list(
        &self,
        user: &UserId,
        filter: &RunFilter,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<RunRecord>> {
        self.started.check("list runs", &[user.as_str()])?;
        let state = self.state.lock();
        let before = after.map_or(u64::MAX, |after| after.0);
        let records = state.newest(user, before).filter_map(|id| Some(self.find(id)?.lock().record.clone()));
        let found = records.filter(|record| filter.matches(record)).take(size.get() + 1).collect();
        Ok(Page::from_one_more(found, size, |record: &RunRecord| record.number))
    }

    async fn cancel(&self, id: &RunId, last: Batch) -> Result<Option<Canceled>> {
        self.stop(id, last)
    }

    async fn steered(&self, id: &RunId) -> Result<Vec<RunRecord>> {
        self.started.check("read the input handed to a run", &[])?;
        let mut state = self.state.lock();
        let Some(run) = self.find(id) else { return Ok(Vec::new()) };
        let record = run.lock().record.clone();
        let turns = state.known_queue(&record.user_id, &record.session_id);
        let turns = turns.filter(|turns| turns.active.as_ref() == Some(id));
        let steered = turns.map_or(&[][..], |turns| &turns.steered[..]);
        Ok(steered.iter().filter_map(|id| Some(self.find(id)?.lock().record.clone())).collect())
    }

    async fn drop_steered(&self, id: &RunId, token: FencingToken, taken: &[RunId]) -> Result<()> {
        const OPERATION: &str = "drop the input handed to a run";
        let run = self.find_to_write(OPERATION, id)?;
        let mut state = self.state.lock();
        let (user, session) = {
            let run = run.lock();
            run.check(OPERATION, token)?;
            (run.record.user_id.clone(), run.record.session_id.clone())
        };
        for taken in taken {
            let Some(turns) = state.known_queue(&user, &session) else { continue };
            if turns.active.as_ref() == Some(id) && turns.steered.contains(taken) {
                turns.remove(taken);
                self.forget(&mut state, taken);
            }
        }
        Ok(())
    }

    async fn put_step(&self, id: &RunId, token: FencingToken, step: Step) -> Result<()> {
        self.keep_step(id, token, step)
    }

    async fn claim_step(&self, id: &RunId, step: Step) -> Result<Step> {
        self.keep_first_step(id, step)
    }

    async fn steps(&self, id: &RunId) -> Result<Vec<Step>> {
        self.started.check("read the steps of a run", &[])?;
        let Some(run) = self.find(id) else { return Ok(Vec::new()) };
        let run = run.lock();
        Ok(run.steps.iter().map(|(key, data)| Step::new(key, data)).collect())
    }

    async fn signals(&self, owner: &OwnerId) -> Result<Vec<RunId>> {
        self.started.check("wait for signals", &[])?;
        Ok(self.wakeups.signals(owner).await)
    }

    async fn heartbeat(&self, owner: &OwnerId, lease: Duration) -> Result<()> {
        self.started.check("renew a lease", &[])?;
        self.state.lock().leases.renew(owner, self.now(), self.after(lease));
        Ok(())
    }

    async fn release_lease(&self, owner: &OwnerId) -> Result<()> {
        self.started.check("release a lease", &[])?;
        self.state.lock().leases.release(owner);
        self.wakeups.forget(owner);
        Ok(())
    }

    async fn orphans(&self, size: PageSize) -> Result<Vec<RunId>> {
        self.started.check("find orphaned runs", &[])?;
        let mut state = self.state.lock();
        let unfinished: Vec<RunId> = state.unfinished.iter().cloned().collect();
        let mut orphans = Vec::new();
        for id in unfinished {
            let Some(run) = self.find(&id) else { continue };
            if self.is_orphan(&mut state, &run.lock()) {
                orphans.push(id);
                if orphans.len() == size.get() {
                    break;
                }
            }
        }
        Ok(orphans)
    }

    async fn take_over(&self, id: &RunId, owner: &OwnerId) -> Result<Option<FencingToken>> {
        const OPERATION: &str = "take over a run";
        self.started.check(OPERATION, &[])?;
        let mut state = self.state.lock();
        let Some(run) = self.find(id) else { return Ok(None) };
        let mut run = run.lock();
        if run.log.ended {
            return Ok(None);
        }
        let now = self.now();
        let taker = state.leases.live(owner, now).ok_or_else(|| no_lease(OPERATION, owner))?;
        let is_own = run.record.status == Status::InProgress && run.owner.as_ref() == Some(owner);
        let given_up = |owner| state.leases.is_given_up(owner, &taker, run.taken_until, now);
        let is_given_up = run.owner.as_ref().is_none_or(given_up);
        let may_take = is_own || is_given_up && self.is_orphan(&mut state, &run);
        if !may_take {
            return Ok(None);
        }
        if run.record.status == Status::Queued {
            let turns = state.queue(&run.record.user_id, &run.record.session_id);
            turns.queue.pop_front();
            turns.active = Some(id.clone());
        } else {
            let first = run.log.next();
            run.record.epochs.push(first);
            run.taken_until = now.saturating_add(taker.length);
        }
        Ok(Some(run.begin(owner)))
    }

    async fn touch_reader(&self, id: &RunId, time: Duration) -> Result<()> {
        const OPERATION: &str = "register a reader of a run";
        let run = self.find_to_write(OPERATION, id)?;
        let until = self.after(time);
        let mut run = run.lock();
        run.reader_until = run.reader_until.max(until);
        Ok(())
    }

    async fn reader_ttl(&self, id: &RunId) -> Result<Duration> {
        const OPERATION: &str = "check for readers of a run";
        let run = self.find_to_write(OPERATION, id)?;
        let left = run.lock().reader_until.saturating_sub(self.now());
        Ok(Duration::from_secs(u64::try_from(left).unwrap_or_default()))
    }

    async fn sweep(&self) -> Result<u64> {
        self.started.check("delete old runs", &[])?;
        let mut state = self.state.lock();
        let count = self.evict(&mut state);
        state.shrink();
        shrink(&mut self.runs.write());
        Ok(count)
    }

    async fn delete(&self, id: &RunId) -> Result<bool> {
        const OPERATION: &str = "delete a run";
        self.started.check(OPERATION, &[])?;
        let mut state = self.state.lock();
        let Some(run) = self.find(id) else { return Ok(false) };
        if !run.lock().log.ended {
            return Err(Error::new(ErrorKind::Conflict, OPERATION, format!("run {id} has not ended")));
        }
        Ok(self.forget(&mut state, id))
    }

    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64> {
        self.started.check("delete a session's runs", &[user.as_str(), session.as_str()])?;
        let mut state = self.state.lock();
        let of_session =
            |id: &&RunId| self.find(id).is_some_and(|run| run.lock().record.session_id == *session);
        let ids = state.newest(user, u64::MAX).filter(of_session).cloned().collect();
        Ok(self.forget_all(&mut state, ids))
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        self.started.check("delete a user's runs", &[user.as_str()])?;
        let mut state = self.state.lock();
        let ids = state.newest(user, u64::MAX).cloned().collect();
        Ok(self.forget_all(&mut state, ids))
    }

    fn keeps_logs_in_memory(&self) -> bool {
        true
    }

    fn retention(&self) -> Retention {
        self.retention
    }
}
