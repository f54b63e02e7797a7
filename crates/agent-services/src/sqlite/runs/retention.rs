//! Forgetting runs.

use agent_schemas::RunId;
use rusqlite::{Connection, params};

use super::news::News;
use super::turns;
use crate::run::Retention;
use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::row::utf8;
use crate::sqlite::statement::{bounded, statements};
use crate::{Error, ErrorKind};

pub(super) const DELETE: &str = "delete a run";

/// How much one step forgets, so that others do not wait for long.
const STEP: usize = 100;
const STEP_BYTES: u64 = 16 << 20;
/// About what a run takes besides its log.
const OVERHEAD: u64 = 1024;

statements! {
    NOTE_END: "UPDATE run_totals SET last_end = last_end + 1, bytes = bytes + ?1 WHERE key = 1 RETURNING last_end";
    SHRINK: "UPDATE run_totals SET bytes = bytes - ?1 WHERE key = 1";
    TOTAL: "SELECT bytes FROM run_totals WHERE key = 1";
    OLDEST: "SELECT key, id, ended_at, bytes FROM runs WHERE end_number > 0 ORDER BY end_number LIMIT ?1";
    BYTES: "SELECT bytes FROM runs WHERE key = ?1";
    FORGET_BATCHES: "DELETE FROM run_batches WHERE run = ?1";
    FORGET_REQUEST: "DELETE FROM run_requests WHERE run = ?1";
    FORGET_KEYS: "DELETE FROM run_keys WHERE run = ?1";
    FORGET: "DELETE FROM runs WHERE key = ?1";
}

/// Counts a run among those that have ended; gives its place in their order.
pub(super) fn note_end(connection: &Connection, bytes: u64) -> Outcome<i64> {
    let number = NOTE_END.one(connection, [bounded(bytes + OVERHEAD)], |row| Ok(row.get(0)?))?;
    number.ok_or_else(|| Failure::Damaged("the totals of runs are missing".to_owned()))
}

/// Forgets a run that has not been counted.
pub(super) fn forget(connection: &Connection, run: i64) -> Outcome<()> {
    for statement in [FORGET_BATCHES, FORGET_REQUEST, FORGET_KEYS, FORGET] {
        statement.execute(connection, [run])?;
    }
    Ok(())
}

/// Forgets a run that has ended; says whether there was one.
pub(super) fn delete(connection: &Connection, id: &RunId, news: &mut News) -> Outcome<bool> {
    let Some((run, _, has_ended)) = turns::find(connection, id)? else { return Ok(false) };
    if !has_ended {
        let message = format!("run {id} has not ended");
        return Err(Error::new(ErrorKind::Conflict, DELETE, message).into());
    }
    let bytes: Option<u64> = BYTES.one(connection, [run.key], |row| Ok(row.get(0)?))?;
    SHRINK.execute(connection, [bounded(bytes.unwrap_or_default() + OVERHEAD)])?;
    forget(connection, run.key)?;
    news.wake(id.clone());
    Ok(true)
}

/// Forgets some of what is beyond the retention; says how many runs, and whether there may be more.
pub(super) fn sweep(
    connection: &Connection,
    retention: &Retention,
    now: i64,
    news: &mut News,
) -> Outcome<(u64, bool)> {
    let total: Option<u64> = TOTAL.one(connection, [], |row| Ok(row.get(0)?))?;
    let mut total = total.unwrap_or_default();
    let age = bounded(retention.age.as_secs());
    let (mut gone, mut bytes) = (Vec::new(), 0);
    let mut may_be_more = false;
    OLDEST.each_while(connection, params![STEP], |row| {
        let (ended_at, size) = (row.get::<_, i64>(2)?, row.get::<_, u64>(3)? + OVERHEAD);
        may_be_more = total > retention.bytes || now.saturating_sub(ended_at) >= age;
        if !may_be_more || (bytes >= STEP_BYTES && !gone.is_empty()) {
            return Ok(false);
        }
        gone.push((row.get::<_, i64>(0)?, utf8(row.get(1)?)?));
        bytes += size;
        total = total.saturating_sub(size);
        Ok(true)
    })?;
    if gone.is_empty() {
        return Ok((0, false));
    }
    let count = gone.len() as u64;
    for (run, id) in gone {
        forget(connection, run)?;
        news.wake(RunId::new(id));
    }
    SHRINK.execute(connection, [bounded(bytes)])?;
    Ok((count, may_be_more))
}
