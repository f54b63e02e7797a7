//! Writes the end of a run.

use agent_schemas::{RunId, Status};
use rusqlite::{Connection, Row, params};

use super::finish::{FINISH, Finish};
use super::log::{Log, conflict, find};
use super::{ended, turns};
use crate::run::{FencingToken, Finished, Grant};
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::utf8;
use crate::sqlite::statement::{bounded, statements};

statements! {
    GRANTED: "SELECT granted, granted_token FROM runs WHERE key = ?1";
    END: "UPDATE runs SET entries = ?2, bytes = ?3, status = ?4, ended_at = ?5, turn = NULL, place = NULL, \
          end_number = ?6 WHERE key = ?1";
    GRANT: "UPDATE runs SET granted = ?2, granted_token = ?3 WHERE key = ?1";
}

impl Finish {
    /// Ends the run.
    pub(in crate::sqlite) fn run(&self, connection: &Connection, now: i64) -> Outcome<Finished> {
        let mut log = find(connection, FINISH, &self.id, self.token)?;
        log.check_end(FINISH, self.cancel_seen)?;
        if !log.is_new(connection, FINISH, &self.batch)? {
            return if log.has_ended {
                Ok(Finished::new(granted(connection, log.key)?))
            } else {
                Err(conflict(FINISH, "the log continues after these entries"))
            };
        }
        // First, because a history that the session rejects must change nothing. The history of a sealed run may already be
        // stored, by another process that got this far.
        if let Some(history) = &self.history {
            history.run_for(connection, log.user, &log.session, log.is_closed, now)?;
        }
        log.add(connection, &self.batch)?;
        end(connection, &log, &self.status, now)?;
        let grant = turns::hand_on(connection, &log, self.next.as_ref())?;
        if let Some(Grant { id, token }) = &grant {
            GRANT.execute(connection, params![log.key, id.as_str().as_bytes(), bounded(token.0)])?;
        }
        Ok(Finished::new(grant))
    }
}

/// Ends a run whose log is complete.
pub(super) fn end(connection: &Connection, log: &Log, status: &Status, now: i64) -> Outcome<()> {
    let number = ended::count(connection, log.bytes)?;
    let (entries, bytes) = (bounded(log.entries), bounded(log.bytes));
    END.execute(connection, params![log.key, entries, bytes, status.as_str(), now, number])?;
    Ok(())
}

/// The result of ending a run.
fn granted(connection: &Connection, run: i64) -> Outcome<Option<Grant>> {
    let read = |row: &Row<'_>| {
        let Some(id) = row.get::<_, Option<Vec<u8>>>(0)? else { return Ok(None) };
        Ok(Some(Grant { id: RunId::new(utf8(id)?), token: FencingToken(row.get(1)?) }))
    };
    Ok(GRANTED.one(connection, [run], read)?.flatten())
}
