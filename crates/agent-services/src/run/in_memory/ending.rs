//! Ends runs in memory.

use super::InMemoryRunStore;
use crate::run::{FinishRun, Finished, no_sessions};
use crate::{Error, ErrorKind, Result};

const OPERATION: &str = "finish a run";

impl InMemoryRunStore {
    /// Ends a run. The session has the history before others see the end.
    pub(super) fn end(&self, ended: FinishRun) -> Result<Finished> {
        let FinishRun { id, token, batch, status, next, history } = ended;
        let history = match (history, &self.sessions) {
            (Some(history), Some(sessions)) => Some((history, sessions)),
            (Some(_), None) => return Err(no_sessions(OPERATION)),
            (None, _) => None,
        };
        let run = self.find_to_write(OPERATION, &id)?;
        let mut state = self.state.lock();
        let (user, session, bytes, appended) = {
            let mut run = run.lock();
            if !run.write(OPERATION, token, batch)? {
                let conflict =
                    || Error::new(ErrorKind::Conflict, OPERATION, "the log continues after these entries");
                return if run.log.ended { Ok(Finished::new(run.granted.clone())) } else { Err(conflict()) };
            }
            let (user, session) = (run.record.user_id.clone(), run.record.session_id.clone());
            let appended = history.map_or(Ok(()), |(mut history, sessions)| {
                // Only the history of a sealed run may have been appended before; any other is appended once and needs
                // no key.
                history.key = history.key.filter(|_| run.record.ending.is_some());
                sessions.append_now(&user, &session, history).map(drop)
            });
            run.log.end();
            run.record.status = status;
            run.record.ended_at = Some(self.now());
            (user, session, run.log.bytes(), appended)
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
        Ok(Finished::new(granted).with_history(appended))
    }
}
