//! The queue of a session.

use agent_schemas::Status;
use rusqlite::{Connection, params};

use super::head::{ACTIVE, Head, STEERED, head};
use super::log::Log;
use crate::run::{FencingToken, Grant, OwnerId};
use crate::sqlite::failure::Outcome;
use crate::sqlite::statement::{bounded, statements};

statements! {
    WAITING: "SELECT count(*), coalesce(sum(coalesce(request_bytes, length(request))), 0) FROM runs \
              CROSS JOIN run_requests ON run_requests.run = runs.key WHERE user = ?1 AND session = ?2 AND turn > 0";
    FIRST: "SELECT place FROM runs WHERE user = ?1 AND session = ?2 AND turn = 2 ORDER BY place LIMIT 1";
    LAST: "SELECT place FROM runs WHERE user = ?1 AND session = ?2 AND turn = ?3 ORDER BY place DESC LIMIT 1";
    STEERED_INTO: "SELECT other.key, other.user, other.session FROM runs AS this CROSS JOIN runs AS other \
                   ON other.user = this.user AND other.session = this.session AND other.turn = 1 \
                   WHERE this.key = ?1 ORDER BY other.place DESC";
    WAIT: "UPDATE runs SET turn = 2, place = ?2 WHERE key = ?1";
    BEGIN: "UPDATE runs SET status = ?2, owner = ?3, token = ?4, turn = ?5, place = ?5 WHERE key = ?1";
    REQUEST_CANCEL: "UPDATE runs SET cancel_requested = 1 WHERE key = ?1 AND ending IS NULL";
}

/// The number of waiting runs in a session, and the size of their requests in bytes of JSON text.
pub(super) fn waiting(connection: &Connection, user: i64, session: &[u8]) -> Outcome<(usize, u64)> {
    let found = WAITING.one(connection, params![user, session], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.unwrap_or_default())
}

/// The place after all others of a kind.
pub(super) fn behind(connection: &Connection, user: i64, session: &[u8], turn: i64) -> Outcome<i64> {
    let last: Option<i64> = LAST.one(connection, params![user, session, turn], |row| Ok(row.get(0)?))?;
    Ok(last.map_or(0, |last| last + 1))
}

/// The place before all queued runs.
pub(super) fn before(connection: &Connection, user: i64, session: &[u8]) -> Outcome<i64> {
    let first: Option<i64> = FIRST.one(connection, params![user, session], |row| Ok(row.get(0)?))?;
    Ok(first.map_or(0, |first| first - 1))
}

/// Marks a run as asked to stop; returns whether its end was not settled yet.
pub(super) fn request_cancel(connection: &Connection, run: i64) -> Outcome<bool> {
    Ok(REQUEST_CANCEL.execute(connection, [run])? > 0)
}

/// Grants the right to execute a run whose turn has come.
pub(super) fn begin(connection: &Connection, run: &Head, owner: &OwnerId) -> Outcome<FencingToken> {
    let token = run.token + 1;
    let (status, owner) = (Status::InProgress, owner.as_str().as_bytes());
    BEGIN.execute(connection, params![run.key, status.as_str(), owner, bounded(token), ACTIVE])?;
    Ok(FencingToken(token))
}

/// Hands on the session of an ended run: inputs that were handed to the run go to the front of the queue, and the first run
/// starts if a process executes it.
pub(super) fn hand_on(
    connection: &Connection,
    ended: &Log,
    next: Option<&OwnerId>,
) -> Outcome<Option<Grant>> {
    if !ended.is_active && next.is_none() {
        return Ok(None);
    }
    let Some(head) = head(connection, ended.user, &ended.session)? else { return Ok(None) };
    if head.turn == ACTIVE {
        return Ok(None);
    }
    if head.turn == STEERED {
        release(connection, ended.key)?;
    }
    let Some(next) = next else { return Ok(None) };
    let token = begin(connection, &head, next)?;
    Ok(Some(Grant { id: head.id, token }))
}

/// Moves the inputs that were handed to a run to the front of the queue.
pub(super) fn release(connection: &Connection, run: i64) -> Outcome<()> {
    let steered = STEERED_INTO.all(connection, [run], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
    })?;
    let Some((_, user, session)) = steered.first() else { return Ok(()) };
    let first = before(connection, *user, session)?;
    for ((key, ..), place) in steered.iter().zip((i64::MIN..=first).rev()) {
        WAIT.execute(connection, [*key, place])?;
    }
    Ok(())
}
