//! Writing the logs of runs.

use agent_schemas::{RunId, Status};
use rusqlite::{Connection, Row, params};

use super::entries;
use super::entries::Piece;
use super::pending::Pending;
use super::turns::{self, ACTIVE};
use crate::run::{FencingToken, Finished, Grant, OwnerId, no_run};
use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::row::utf8;
use crate::sqlite::sessions::append::Append;
use crate::sqlite::statement::{bounded, statements};
use crate::{Error, ErrorKind};

pub(super) const APPEND: &str = "append to a run";
pub(super) const CLOSE: &str = "close a run";
pub(super) const FINISH: &str = "finish a run";

statements! {
    FIND: "SELECT key, entries, bytes, end_number IS NOT NULL, turn, ending IS NOT NULL, token, owner IS NOT NULL, \
           first_entry, user, session FROM runs WHERE id = ?1";
    GRANTED: "SELECT granted, granted_token FROM runs WHERE key = ?1";
    GROW: "UPDATE runs SET entries = ?2, bytes = ?3 WHERE key = ?1";
    CLOSE_WITH: "UPDATE runs SET entries = ?2, bytes = ?3, ending = ?4 WHERE key = ?1";
    END: "UPDATE runs SET entries = ?2, bytes = ?3, status = ?4, ended_at = ?5, turn = NULL, place = NULL, \
          end_number = ?6 WHERE key = ?1";
    GRANT: "UPDATE runs SET granted = ?2, granted_token = ?3 WHERE key = ?1";
}

/// A log that may be written.
pub(super) struct Log {
    pub(super) key: i64,
    pub(super) user: i64,
    pub(super) session: Vec<u8>,
    first_entry: u64,
    entries: u64,
    bytes: u64,
    has_ended: bool,
    pub(super) is_active: bool,
    is_closed: bool,
}

/// The log of a run, for its owner.
pub(super) fn find(
    connection: &Connection,
    operation: &'static str,
    id: &RunId,
    token: FencingToken,
) -> Outcome<Log> {
    let found = FIND.one(connection, [id.as_str().as_bytes()], |row| {
        let log = Log {
            key: row.get(0)?,
            entries: row.get(1)?,
            bytes: row.get(2)?,
            has_ended: row.get(3)?,
            is_active: row.get::<_, Option<i64>>(4)? == Some(ACTIVE),
            is_closed: row.get(5)?,
            first_entry: row.get(8)?,
            user: row.get(9)?,
            session: row.get(10)?,
        };
        Ok((log, FencingToken(row.get(6)?) == token && row.get(7)?))
    })?;
    match found {
        None => Err(no_run(operation, id).into()),
        Some((_, false)) => Err(conflict(operation, "the run has another owner")),
        Some((log, true)) => Ok(log),
    }
}

fn conflict(operation: &'static str, message: &str) -> Failure {
    Error::new(ErrorKind::Conflict, operation, message).into()
}

impl Log {
    /// Stores entries; says whether they are new. How many there are then is for the caller to store.
    fn write(&mut self, connection: &Connection, operation: &'static str, piece: &Piece) -> Outcome<bool> {
        let batch = &piece.batch;
        if batch.first != self.entries {
            return if self.first_entry <= batch.first
                && batch.first.saturating_add(batch.count) <= self.entries
                && entries::are_there(connection, self.key, batch)?
            {
                Ok(false)
            } else {
                Err(conflict(operation, "the entries do not continue the log"))
            };
        }
        if self.has_ended {
            // No entries at the end are what a repeated `finish` without entries has.
            let is_repeated = batch.count == 0;
            return if is_repeated { Ok(false) } else { Err(conflict(operation, "the log has ended")) };
        }
        piece.add(connection, self.key)?;
        self.entries += batch.count;
        self.bytes += batch.frames.len() as u64;
        Ok(true)
    }
}

pub(super) fn append(connection: &Connection, id: &RunId, token: FencingToken, piece: &Piece) -> Outcome<()> {
    let mut log = find(connection, APPEND, id, token)?;
    if log.write(connection, APPEND, piece)? {
        GROW.execute(connection, params![log.key, bounded(log.entries), bounded(log.bytes)])?;
    }
    Ok(())
}

pub(super) fn close(
    connection: &Connection,
    id: &RunId,
    token: FencingToken,
    piece: &Piece,
    ending: &str,
) -> Outcome<()> {
    let mut log = find(connection, CLOSE, id, token)?;
    let is_new = log.write(connection, CLOSE, piece)?;
    let (entries, bytes) = (bounded(log.entries), bounded(log.bytes));
    if !log.is_closed {
        CLOSE_WITH.execute(connection, params![log.key, entries, bytes, ending.as_bytes()])?;
    } else if is_new {
        GROW.execute(connection, params![log.key, entries, bytes])?;
    }
    Ok(())
}

/// The end of a log.
pub(super) struct Finish {
    pub(super) id: RunId,
    pub(super) token: FencingToken,
    pub(super) piece: Piece,
    pub(super) status: Status,
    pub(super) next: Option<OwnerId>,
    /// What is appended to the session.
    pub(super) history: Option<Append>,
}

impl Finish {
    pub(super) fn run(&self, connection: &Connection, pending: &Pending, now: i64) -> Outcome<Finished> {
        let Pending { promised, ended } = pending;
        if let Some(promise) = promised.take(&self.id) {
            if self.token == FencingToken(1) && self.piece.batch.first == 0 && self.piece.batch.count > 0 {
                return promise.create.write_ended(connection, self, ended, promise.is_users_first, now);
            }
            promise.create.write(connection)?;
        }
        let mut log = find(connection, FINISH, &self.id, self.token)?;
        if !log.write(connection, FINISH, &self.piece)? {
            return if log.has_ended {
                Ok(Finished { granted: granted(connection, log.key)?, history: Ok(()) })
            } else {
                Err(conflict(FINISH, "the log goes on after these"))
            };
        }
        // One that was closed may have been ended as far as its history by another process.
        let history = self.append_history(connection, log.user, &log.session, log.is_closed, now)?;
        let number = ended.next(connection)?;
        let (entries, bytes, status) = (bounded(log.entries), bounded(log.bytes), self.status.as_str());
        END.execute(connection, params![log.key, entries, bytes, status, now, number])?;
        ended.note(number, log.bytes);
        let grant = turns::hand_on(connection, &log, self.next.as_ref())?;
        if let Some(Grant { id, token }) = &grant {
            GRANT.execute(connection, params![log.key, id.as_str().as_bytes(), bounded(token.0)])?;
        }
        Ok(Finished { granted: grant, history })
    }

    /// Tells what the session refuses apart from what fails.
    pub(super) fn append_history(
        &self,
        connection: &Connection,
        user: i64,
        session: &[u8],
        may_be_known: bool,
        now: i64,
    ) -> Outcome<crate::Result<()>> {
        let Some(history) = &self.history else { return Ok(Ok(())) };
        match history.run_for(connection, user, session, may_be_known, now) {
            Err(Failure::Refused(error)) => Ok(Err(error)),
            done => done.map(|_| Ok(())),
        }
    }
}

/// What the end of a run answered.
fn granted(connection: &Connection, run: i64) -> Outcome<Option<Grant>> {
    let read = |row: &Row<'_>| {
        let Some(id) = row.get::<_, Option<Vec<u8>>>(0)? else { return Ok(None) };
        Ok(Some(Grant { id: RunId::new(utf8(id)?), token: FencingToken(row.get(1)?) }))
    };
    Ok(GRANTED.one(connection, [run], read)?.flatten())
}
