//! Sessions that no request has named. They are kept for a limited time.

use agent_schemas::{SessionId, UserId};
use rusqlite::Connection;

use super::change;
use crate::run::Retention;
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::utf8;
use crate::sqlite::statement::{bounded, statements};
use crate::sqlite::users;

/// About what a session takes besides its messages.
const OVERHEAD: u64 = 1024;

/// How many sessions one step forgets, so that others do not wait for long.
const STEP: i64 = 100;

statements! {
    NOTE: "UPDATE sessions SET anonymous = 1 WHERE key = ?1";
    NAME: "UPDATE sessions SET anonymous = 0 WHERE key = ?1";
    COUNT: "UPDATE session_totals SET anonymous_bytes = anonymous_bytes + ?1 WHERE key = 1";
    TOTAL: "SELECT anonymous_bytes FROM session_totals WHERE key = 1";
    OLDEST: "SELECT sessions.key, sessions.user, users.id, sessions.id, bytes, updated_at FROM sessions \
             CROSS JOIN users ON users.key = sessions.user WHERE anonymous = 1 AND updated_at >= 0 ORDER BY updated_at LIMIT ?1";
}

/// Marks a new session, with messages of so many bytes.
pub(super) fn note(connection: &Connection, session: i64, bytes: u64) -> Outcome<()> {
    NOTE.execute(connection, [session])?;
    count(connection, bounded(bytes + OVERHEAD))
}

/// Counts what an anonymous session has grown by.
pub(super) fn grow(connection: &Connection, before: u64, now: u64) -> Outcome<()> {
    count(connection, bounded(now) - bounded(before))
}

/// Makes an anonymous session one that stays.
pub(super) fn name(connection: &Connection, session: i64, bytes: u64) -> Outcome<()> {
    NAME.execute(connection, [session])?;
    forget(connection, bytes)
}

/// Counts an anonymous session no more.
pub(super) fn forget(connection: &Connection, bytes: u64) -> Outcome<()> {
    count(connection, -bounded(bytes + OVERHEAD))
}

fn count(connection: &Connection, bytes: i64) -> Outcome<()> {
    COUNT.execute(connection, [bytes])?;
    Ok(())
}

/// An anonymous session that has to go.
struct Old {
    key: i64,
    user: i64,
    name: (UserId, SessionId),
}

/// Forgets some anonymous sessions beyond the retention; says which.
pub(in crate::sqlite) fn sweep(
    connection: &Connection,
    retention: &Retention,
    now: i64,
) -> Outcome<Vec<(UserId, SessionId)>> {
    let total = TOTAL.one(connection, [], |row| Ok(row.get::<_, u64>(0)?))?;
    let (mut total, age) = (total.unwrap_or_default(), bounded(retention.age.as_secs()));
    let mut old = Vec::new();
    OLDEST.each_while(connection, [STEP], |row| {
        let updated_at = row.get::<_, i64>(5)?;
        if total <= retention.bytes && now.saturating_sub(updated_at) < age {
            return Ok(false);
        }
        total = total.saturating_sub(row.get::<_, u64>(4)? + OVERHEAD);
        let name = (UserId::new(utf8(row.get(2)?)?), SessionId::new(utf8(row.get(3)?)?));
        old.push(Old { key: row.get(0)?, user: row.get(1)?, name });
        Ok(true)
    })?;
    let mut names = Vec::with_capacity(old.len());
    for Old { key, user, name } in old {
        change::delete_by_key(connection, key)?;
        users::forget_unused(connection, user)?;
        names.push(name);
    }
    Ok(names)
}
