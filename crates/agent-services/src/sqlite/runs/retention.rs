//! Deletes runs.

use agent_schemas::RunId;
use rusqlite::{Connection, params};

use super::ended::OVERHEAD;
use super::head;
use super::notifications::Notifications;
use super::{entries, request};
use crate::run::Retention;
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::utf8;
use crate::sqlite::statement::{Sql, bounded, statements};
use crate::{Error, ErrorKind};

pub(in crate::sqlite) const DELETE: &str = "delete a run";

/// How much one step deletes, so that others do not wait for long.
const STEP: i64 = 100;
const STEP_BYTES: u64 = 16 << 20;

statements! {
    COUNT: "UPDATE run_totals SET bytes = bytes + ?1, trimmed_bytes = trimmed_bytes + ?2 WHERE key = 1";
    TOTALS: "SELECT bytes, trimmed_bytes FROM run_totals WHERE key = 1";
    OLDEST: "SELECT key, id, bytes, ended_at, kept_for FROM runs WHERE end_number > 0 ORDER BY end_number LIMIT ?1";
    TRIMMED: "SELECT key, id, bytes, trimmed_until, 0 FROM runs WHERE trimmed_until IS NOT NULL \
              ORDER BY trimmed_until LIMIT ?1";
    BYTES: "SELECT bytes, trimmed_until IS NOT NULL FROM runs WHERE key = ?1";
    TRIM: "UPDATE runs SET first_entry = ?2, bytes = ?3, trimmed_until = ?4, end_number = 0 WHERE key = ?1";
    FORGET_KEYS: "DELETE FROM run_keys WHERE run = ?1";
    FORGET: "DELETE FROM runs WHERE key = ?1";
}

/// Deletes a run that is not counted among the ended ones.
pub(super) fn forget(connection: &Connection, run: i64) -> Outcome<()> {
    entries::forget(connection, run)?;
    request::forget(connection, run)?;
    for statement in [FORGET_KEYS, FORGET] {
        statement.execute(connection, [run])?;
    }
    Ok(())
}

/// Deletes an ended run; returns whether it existed.
pub(in crate::sqlite) fn delete(
    connection: &Connection,
    id: &RunId,
    notifications: &mut Notifications,
) -> Outcome<bool> {
    let Some((run, _, has_ended)) = head::find(connection, id)? else { return Ok(false) };
    if !has_ended {
        let message = format!("run {id} has not ended");
        return Err(Error::new(ErrorKind::Conflict, DELETE, message).into());
    }
    if let Some((bytes, is_trimmed)) =
        BYTES.one(connection, [run.key], |row| Ok((row.get(0)?, row.get(1)?)))?
    {
        let gone = -bounded(u64::saturating_add(bytes, OVERHEAD));
        count(connection, if is_trimmed { (0, gone) } else { (gone, 0) })?;
    }
    forget(connection, run.key)?;
    notifications.wake(id.clone());
    Ok(true)
}

/// Adds to the sizes of complete and of trimmed ended runs.
fn count(connection: &Connection, (whole, trimmed): (i64, i64)) -> Outcome<()> {
    COUNT.execute(connection, [whole, trimmed])?;
    Ok(())
}

/// Deletes the log of an ended run except its last entry.
fn trim(connection: &Connection, old: &Old, until: i64) -> Outcome<()> {
    let last = entries::trim(connection, old.run)?;
    let bytes = last.frames.len() as u64 + request::bytes(connection, old.run)?;
    TRIM.execute(connection, params![old.run, bounded(last.first), bounded(bytes), until])?;
    count(connection, (-bounded(old.bytes), bounded(bytes + OVERHEAD)))
}

/// An ended run that has to be deleted or trimmed.
struct Old {
    run: i64,
    id: String,
    bytes: u64,
    /// The time until which the trimmed run is kept.
    kept_until: Option<i64>,
}

/// Deletes some of what exceeds the retention; returns how many runs, or `None` if nothing is left to do.
pub(in crate::sqlite) fn sweep(
    connection: &Connection,
    retention: &Retention,
    now: i64,
    notifications: &mut Notifications,
) -> Outcome<Option<u64>> {
    let totals = TOTALS.one(connection, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (whole, trimmed) = totals.unwrap_or_default();
    let most = retention.bytes;
    let mut old = to_go(connection, OLDEST, (whole, most), bounded(retention.age.as_secs()), now)?;
    let are_whole = !old.is_empty();
    if !are_whole {
        old = to_go(connection, TRIMMED, (trimmed, most), 0, now)?;
    }
    let (is_done, mut gone) = (old.is_empty(), 0);
    for old in old {
        if let Some(until) = old.kept_until {
            trim(connection, &old, until)?;
            continue;
        }
        let bytes = -bounded(old.bytes);
        count(connection, if are_whole { (bytes, 0) } else { (0, bytes) })?;
        forget(connection, old.run)?;
        notifications.wake(RunId::new(old.id));
        gone += 1;
    }
    Ok((!is_done).then_some(gone))
}

/// Some of the runs that a statement returns: those that are too old or exceed the size limit.
fn to_go(
    connection: &Connection,
    statement: Sql,
    (mut total, most): (u64, u64),
    age: i64,
    now: i64,
) -> Outcome<Vec<Old>> {
    let (mut found, mut found_bytes) = (Vec::new(), 0);
    statement.each_while(connection, [STEP], |row| {
        let (since, kept_for) = (row.get::<_, i64>(3)?, row.get::<_, i64>(4)?);
        if (total <= most && now.saturating_sub(since) < age) || found_bytes >= STEP_BYTES {
            return Ok(false);
        }
        let bytes = row.get::<_, u64>(2)? + OVERHEAD;
        let kept_until = Some(since.saturating_add(kept_for)).filter(|until| kept_for > 0 && now < *until);
        found.push(Old { run: row.get(0)?, id: utf8(row.get(1)?)?, bytes, kept_until });
        found_bytes += bytes;
        total = total.saturating_sub(bytes);
        Ok(true)
    })?;
    Ok(found)
}
