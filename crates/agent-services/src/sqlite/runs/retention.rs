//! Deletes runs.

use agent_schemas::{RunId, SessionId, UserId};
use rusqlite::{Connection, params};

use super::ended::OVERHEAD;
use super::head;
use super::notifications::Notifications;
use super::{entries, request, steps, turns};
use crate::run::{OwnerId, Retention};
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::utf8;
use crate::sqlite::statement::{Sql, bounded, statements};
use crate::sqlite::users;
use crate::{Error, ErrorKind};

pub(in crate::sqlite) const DELETE: &str = "delete a run";

/// How much one step deletes, so that other jobs do not wait for long.
const STEP: i64 = 100;
const STEP_BYTES: u64 = 16 << 20;

statements! {
    COUNT: "UPDATE run_totals SET bytes = bytes + ?1, trimmed_bytes = trimmed_bytes + ?2 WHERE key = 1";
    TOTALS: "SELECT bytes, trimmed_bytes FROM run_totals WHERE key = 1";
    OLDEST: "SELECT key, id, bytes, ended_at, kept_for, user FROM runs WHERE end_number > 0 ORDER BY end_number LIMIT ?1";
    TRIMMED: "SELECT key, id, bytes, trimmed_until, 0, user FROM runs WHERE trimmed_until IS NOT NULL \
              ORDER BY trimmed_until LIMIT ?1";
    BYTES: "SELECT bytes, trimmed_until IS NOT NULL, user FROM runs WHERE key = ?1";
    TRIM: "UPDATE runs SET first_entry = ?2, bytes = ?3, trimmed_until = ?4, end_number = 0 WHERE key = ?1";
    FORGET_KEYS: "DELETE FROM run_keys WHERE run = ?1";
    FORGET: "DELETE FROM runs WHERE key = ?1";
    LAST_NUMBER: "SELECT last_run FROM users WHERE key = ?1";
    NEWEST: "SELECT runs.key, runs.id, owner, bytes, end_number IS NOT NULL, trimmed_until IS NOT NULL \
             FROM runs WHERE user = ?1 AND number <= ?2 \
             AND (?3 IS NULL OR session = ?3) ORDER BY number DESC LIMIT ?4";
}

/// Deletes a run that is not counted among the ended ones.
pub(super) fn forget(connection: &Connection, run: i64) -> Outcome<()> {
    entries::forget(connection, run)?;
    request::forget(connection, run)?;
    steps::forget(connection, run)?;
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
    let counted = BYTES.one(connection, [run.key], |row| {
        Ok((row.get::<_, u64>(0)?, row.get::<_, bool>(1)?, row.get::<_, i64>(2)?))
    })?;
    forget(connection, run.key)?;
    if let Some((bytes, is_trimmed, user)) = counted {
        let gone = -bounded(bytes.saturating_add(OVERHEAD));
        count(connection, if is_trimmed { (0, gone) } else { (gone, 0) })?;
        users::forget_unused(connection, user)?;
    }
    notifications.wake(id.clone());
    Ok(true)
}

/// The number of a user's last run.
pub(in crate::sqlite) fn last_number(connection: &Connection, user: &UserId) -> Outcome<i64> {
    let Some(user) = users::find(connection, user.as_str())? else { return Ok(0) };
    let last = LAST_NUMBER.one(connection, [user], |row| Ok(row.get(0)?))?;
    Ok(last.unwrap_or_default())
}

/// Deletes some of a user's or a session's runs up to a number, newest first, so that none of them begins meanwhile;
/// returns how many.
pub(in crate::sqlite) fn forget_some(
    connection: &Connection,
    user: &UserId,
    session: Option<&SessionId>,
    last: i64,
    notifications: &mut Notifications,
) -> Outcome<u64> {
    let Some(user) = users::find(connection, user.as_str())? else { return Ok(0) };
    let session = session.map(|session| session.as_str().as_bytes());
    let params = params![user, last, session, STEP];
    let found = NEWEST.all(connection, params, |row| {
        let run = row.get::<_, i64>(0)?;
        let owner = row.get::<_, Option<Vec<u8>>>(2)?.map(utf8).transpose()?.map(OwnerId::new);
        let (bytes, has_ended, is_trimmed) =
            (row.get::<_, u64>(3)?, row.get::<_, bool>(4)?, row.get::<_, bool>(5)?);
        Ok((run, RunId::new(utf8(row.get(1)?)?), owner, (bytes, has_ended, is_trimmed)))
    })?;
    for (run, id, owner, (bytes, has_ended, is_trimmed)) in &found {
        if *has_ended {
            let gone = -bounded(bytes.saturating_add(OVERHEAD));
            count(connection, if *is_trimmed { (0, gone) } else { (gone, 0) })?;
        } else {
            turns::release(connection, *run)?;
            notifications.signal(owner.as_ref(), id);
        }
        forget(connection, *run)?;
        notifications.wake(id.clone());
    }
    users::forget_unused(connection, user)?;
    Ok(found.len() as u64)
}

/// Adds to the sizes of the complete and of the trimmed ended runs.
fn count(connection: &Connection, (whole, trimmed): (i64, i64)) -> Outcome<()> {
    COUNT.execute(connection, [whole, trimmed])?;
    Ok(())
}

/// Deletes the log of an ended run except its last entry.
fn trim(connection: &Connection, old: &Old, until: i64) -> Outcome<()> {
    let last = entries::trim(connection, old.run)?;
    let bytes =
        last.frames.len() as u64 + request::bytes(connection, old.run)? + steps::bytes(connection, old.run)?;
    TRIM.execute(connection, params![old.run, bounded(last.first), bounded(bytes), until])?;
    count(connection, (-bounded(old.bytes), bounded(bytes + OVERHEAD)))
}

/// An ended run that has to be deleted or trimmed.
struct Old {
    run: i64,
    user: i64,
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
        users::forget_unused(connection, old.user)?;
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
        found.push(Old { run: row.get(0)?, user: row.get(5)?, id: utf8(row.get(1)?)?, bytes, kept_until });
        found_bytes += bytes;
        total = total.saturating_sub(bytes);
        Ok(true)
    })?;
    Ok(found)
}
