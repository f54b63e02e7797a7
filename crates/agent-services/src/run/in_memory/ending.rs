//! How runs end, in memory.

use agent_schemas::{RunId, SessionId, Status, UserId};

use super::InMemoryRunStore;
use crate::run::{Batch, FencingToken, Finished, Grant, OwnerId};
use crate::session::MessageBatch;
use crate::{Error, ErrorKind, Result};

const OPERATION: &str = "finish a run";

/// How a run ends.
pub(super) struct Ending<'a> {
    pub(super) id: &'a RunId,
    pub(super) token: FencingToken,
    pub(super) status: Status,
    pub(super) next: Option<&'a OwnerId>,
}

/// What is to be done for a run's session before others learn of its end.
pub(super) struct Session {
    user: UserId,
    id: SessionId,
    /// Whether the run was closed, and its history may have been appended then.
    is_closed: bool,
}

impl InMemoryRunStore {
    /// Ends a run, and appends what it said to its session.
    pub(super) fn end_with_history(
        &self,
        ending: &Ending<'_>,
        batch: Batch,
        mut history: MessageBatch,
    ) -> Result<Finished> {
        let Some(sessions) = &self.sessions else {
            let message = "the store shares no database with sessions";
            return Err(Error::new(ErrorKind::InvalidInput, OPERATION, message));
        };
        let (granted, appended) = self.end(ending, batch, |session| {
            // One that comes for the first and the last time needs no key.
            history.key = history.key.filter(|_| session.is_closed);
            sessions.append_now(&session.user, &session.id, history).map(drop)
        })?;
        Ok(Finished { granted, history: appended.unwrap_or(Ok(())) })
    }

    /// Ends a run. If it had not ended, something is done before that is seen.
    pub(super) fn end<T>(
        &self,
        ending: &Ending<'_>,
        batch: Batch,
        before: impl FnOnce(&Session) -> T,
    ) -> Result<(Option<Grant>, Option<T>)> {
        let Ending { id, token, status, next } = ending;
        let run = self.find_to_write(OPERATION, id)?;
        let mut state = self.state.lock();
        let (session, bytes, done) = {
            let mut run = run.lock();
            if !run.write(OPERATION, *token, batch)? {
                let conflict = || Error::new(ErrorKind::Conflict, OPERATION, "the log goes on after these");
                return if run.log.ended { Ok((run.granted.clone(), None)) } else { Err(conflict()) };
            }
            let session = Session {
                user: run.record.user_id.clone(),
                id: run.record.session_id.clone(),
                is_closed: run.record.ending.is_some(),
            };
            let done = before(&session);
            run.log.end();
            run.record.status = status.clone();
            run.record.ended_at = Some(self.now());
            (session, run.log.bytes(), done)
        };
        if let Some(turns) = state.known_turns(&session.user, &session.id) {
            turns.release(id);
        }
        let granted = next.and_then(|next| self.hand_on(&mut state, &session.user, &session.id, next));
        state.tidy(&session.user, &session.id);
        let place = state.note_end(id, self.after(self.retention.age), bytes);
        {
            let mut run = run.lock();
            run.granted.clone_from(&granted);
            run.place = Some(place);
        }
        self.evict(&mut state);
        drop(state);
        self.wakeups.wake(id);
        Ok((granted, Some(done)))
    }
}
