//! Writes the logs of runs.

use agent_schemas::RunId;
use rusqlite::{Connection, params};

use super::entries;
use super::entries::EncodedBatch;
use super::head::ACTIVE;
use crate::run::{FencingToken, Written, canceled, no_run};
use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::statement::{bounded, statements};
use crate::{Error, ErrorKind};

pub(in crate::sqlite) const APPEND: &str = "append to a run";
pub(in crate::sqlite) const SEAL: &str = "seal a run";

statements! {
    FIND: "SELECT key, entries, bytes, end_number IS NOT NULL, turn, ending IS NOT NULL, token, owner IS NOT NULL, \
           first_entry, user, session, cancel_requested FROM runs WHERE id = ?1";
    GROW: "UPDATE runs SET entries = ?2, bytes = ?3 WHERE key = ?1";
    SEAL_WITH: "UPDATE runs SET entries = ?2, bytes = ?3, ending = ?4 WHERE key = ?1";
}

/// A log that the caller may write.
pub(super) struct Log {
    pub(super) key: i64,
    pub(super) user: i64,
    pub(super) session: Vec<u8>,
    first_entry: u64,
    pub(super) entries: u64,
    pub(super) bytes: u64,
    pub(super) has_ended: bool,
    pub(super) is_active: bool,
    pub(super) is_closed: bool,
    cancel_requested: bool,
}

/// The log of a run, for its owner.
pub(super) fn find(
    connection: &Connection,
    operation: &'static str,
    id: &RunId,
    token: FencingToken,
) -> Outcome<Log> {
    match look_up(connection, id)? {
        None => Err(no_run(operation, id).into()),
        Some((log, Some(owned_by))) if owned_by == token => Ok(log),
        Some(_) => Err(conflict(operation, "the run has another owner")),
    }
}

/// The log of a run that nobody executes.
pub(super) fn find_unowned(connection: &Connection, operation: &'static str, id: &RunId) -> Outcome<Log> {
    match look_up(connection, id)? {
        None => Err(no_run(operation, id).into()),
        Some((log, None)) => Ok(log),
        Some(_) => Err(conflict(operation, "the run has an owner")),
    }
}

/// The log of a run, and the token of its owner if it has one.
fn look_up(connection: &Connection, id: &RunId) -> Outcome<Option<(Log, Option<FencingToken>)>> {
    FIND.one(connection, [id.as_str().as_bytes()], |row| {
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
            cancel_requested: row.get(11)?,
        };
        let token = FencingToken(row.get(6)?);
        Ok((log, row.get::<_, bool>(7)?.then_some(token)))
    })
}

pub(super) fn conflict(operation: &'static str, message: &str) -> Failure {
    Error::new(ErrorKind::Conflict, operation, message).into()
}

impl Log {
    /// Rejects an end that is not settled if the caller does not know that the run was asked to stop.
    pub(super) fn check_end(&self, operation: &'static str, cancel_seen: bool) -> Outcome<()> {
        let is_settled = self.has_ended || self.is_closed;
        if self.cancel_requested && !is_settled && !cancel_seen {
            return Err(canceled(operation).into());
        }
        Ok(())
    }

    /// Whether entries would be new, if they may be appended. Changes nothing.
    pub(super) fn is_new(
        &self,
        connection: &Connection,
        operation: &'static str,
        encoded: &EncodedBatch,
    ) -> Outcome<bool> {
        let batch = &encoded.batch;
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
            // A repeated `finish` without entries has an empty batch at the end.
            let is_repeated = batch.count == 0;
            return if is_repeated { Ok(false) } else { Err(conflict(operation, "the log has ended")) };
        }
        Ok(true)
    }

    /// Stores new entries. The caller has to store the new number of entries.
    pub(super) fn add(&mut self, connection: &Connection, encoded: &EncodedBatch) -> Outcome<()> {
        encoded.add(connection, self.key)?;
        self.entries += encoded.batch.count;
        self.bytes += encoded.batch.frames.len() as u64;
        Ok(())
    }

    /// Stores entries that are not stored yet; returns whether they are new. The caller has to store the new number of
    /// entries.
    pub(super) fn write(
        &mut self,
        connection: &Connection,
        operation: &'static str,
        encoded: &EncodedBatch,
    ) -> Outcome<bool> {
        let is_new = self.is_new(connection, operation, encoded)?;
        if is_new {
            self.add(connection, encoded)?;
        }
        Ok(is_new)
    }
}

pub(in crate::sqlite) fn append(
    connection: &Connection,
    id: &RunId,
    token: FencingToken,
    batch: &EncodedBatch,
) -> Outcome<Written> {
    let mut log = find(connection, APPEND, id, token)?;
    if log.write(connection, APPEND, batch)? {
        GROW.execute(connection, params![log.key, bounded(log.entries), bounded(log.bytes)])?;
    }
    Ok(Written::new(log.cancel_requested))
}

pub(in crate::sqlite) fn seal(
    connection: &Connection,
    id: &RunId,
    token: FencingToken,
    batch: &EncodedBatch,
    ending: &str,
    cancel_seen: bool,
) -> Outcome<()> {
    let mut log = find(connection, SEAL, id, token)?;
    log.check_end(SEAL, cancel_seen)?;
    let is_new = log.write(connection, SEAL, batch)?;
    let (entries, bytes) = (bounded(log.entries), bounded(log.bytes));
    if !log.is_closed {
        SEAL_WITH.execute(connection, params![log.key, entries, bytes, ending.as_bytes()])?;
    } else if is_new {
        GROW.execute(connection, params![log.key, entries, bytes])?;
    }
    Ok(())
}
