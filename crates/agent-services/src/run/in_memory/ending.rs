//! Ends runs in memory.

use agent_schemas::{RunId, Status};

use super::state::State;
use super::{InMemoryRunStore, StoredRun};
use crate::run::{Batch, Canceled, FinishRun, Finished, no_sessions};
use crate::{Error, ErrorKind, Result};

const OPERATION: &str = "finish a run";

impl InMemoryRunStore {
    /// Ends a run. The session has the history before anyone can see the end.
    pub(super) fn end(&self, ended: FinishRun) -> Result<Finished> {
        let FinishRun { id, token, batch, status, next, history, cancel_seen } = ended;
        let history = match (history, &self.sessions) {
            (Some(history), Some(sessions)) => Some((history, sessions)),
            (Some(_), None) => return Err(no_sessions(OPERATION)),
            (None, _) => None,
        };
        let run = self.find_to_write(OPERATION, &id)?;
        let mut state = self.state.lock();
        let (user, session, bytes) = {
            let mut run = run.lock();
            run.check_end(OPERATION, token, cancel_seen)?;
            if !run.log.is_new(OPERATION, &batch)? {
                let conflict =
                    || Error::new(ErrorKind::Conflict, OPERATION, "the log continues after these entries");
                return if run.log.ended { Ok(Finished::new(run.granted.clone())) } else { Err(conflict()) };
            }
            let (user, session) = (run.record.user_id.clone(), run.record.session_id.clone());
            // First, because a history that the session rejects must change nothing.
            if let Some((mut history, sessions)) = history {
                // Only the history of a sealed run may have been appended before; any other needs no key.
                history.key = history.key.filter(|_| run.record.ending.is_some());
                // A stopped session store rejects the history, too; the run does not wait for it.
                let appended = sessions.append_now(&user, &session, history);
                appended
                    .map_err(|error| Error::new(ErrorKind::InvalidInput, OPERATION, error.to_string()))?;
            }
            run.write(OPERATION, token, batch)?;
            run.end(status, self.now());
            self.account(&mut run);
            (user, session, run.kept_bytes())
        };
        if let Some(turns) = state.known_queue(&user, &session) {
            turns.release(&id);
        }
        let granted = next.and_then(|next| self.hand_on(&mut state, &user, &session, &next));
        state.tidy(&user, &session);
        let place = state.note_end(&id, self.after(self.retention.age), bytes);
        {
            let mut run = run.lock();
            run.granted.clone_from(&granted);
            run.place = Some(place);
        }
        self.evict(&mut state);
        drop(state);
        self.wakeups.wake(&id);
        Ok(Finished::new(granted))
    }

    /// Asks a run to stop; ends it if it waits.
    pub(super) fn stop(&self, id: &RunId, last: Batch) -> Result<Option<Canceled>> {
        const OPERATION: &str = "cancel a run";
        self.started.check(OPERATION, &[])?;
        let mut state = self.state.lock();
        let Some(found) = self.find(id) else { return Ok(None) };
        let mut run = found.lock();
        if run.log.ended || run.record.ending.is_some() {
            return Ok(Some(Canceled::Ended));
        }
        if run.record.status == Status::Queued {
            if !run.extend(OPERATION, last)? {
                let message = "the entries do not continue the log";
                return Err(Error::new(ErrorKind::Conflict, OPERATION, message));
            }
            run.record.cancel_requested = true;
            run.end(Status::Canceled, self.now());
            self.account(&mut run);
            self.leave_queue(&mut state, &run);
            run.place = Some(state.note_end(id, self.after(self.retention.age), run.kept_bytes()));
            drop(run);
            self.evict(&mut state);
            drop(state);
            self.wakeups.wake(id);
            return Ok(Some(Canceled::Dequeued));
        }
        run.record.cancel_requested = true;
        if let Some(owner) = &run.owner {
            self.wakeups.signal(owner, id);
        }
        Ok(Some(Canceled::Requested))
    }

    /// Removes a run from its session's queue.
    fn leave_queue(&self, state: &mut State, run: &StoredRun) {
        let (user, session) = (&run.record.user_id, &run.record.session_id);
        if let Some(turns) = state.known_queue(user, session) {
            turns.remove(&run.record.id);
        }
        state.tidy(user, session);
    }

    /// Deletes runs, ended or not; returns how many there were.
    pub(super) fn forget_all(&self, state: &mut State, ids: Vec<RunId>) -> u64 {
        let mut count = 0;
        for id in ids {
            let Some(found) = self.find(&id) else { continue };
            {
                let run = found.lock();
                let (user, session) = (&run.record.user_id, &run.record.session_id);
                if let Some(turns) = state.known_queue(user, session) {
                    turns.release(&id);
                    turns.remove(&id);
                }
                if let Some(owner) = run.owner.as_ref().filter(|_| !run.log.ended) {
                    self.wakeups.signal(owner, &id);
                }
            }
            count += u64::from(self.forget(state, &id));
        }
        count
    }
}
