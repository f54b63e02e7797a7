//! Deletes anonymous sessions beyond their retention.

use agent_schemas::{SessionId, UserId};
use rusqlite::Connection;

use super::anonymous::OVERHEAD;
use super::change;
use crate::retention::Retention;
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::utf8;
use crate::sqlite::statement::{bounded, statements};
use crate::sqlite::users;

/// How many sessions one step deletes, so that other jobs do not wait for long.
const STEP: i64 = 100;

statements! {
    TOTAL: "SELECT anonymous_bytes FROM session_totals WHERE key = 1";
    OLDEST: "SELECT sessions.key, sessions.user, users.id, sessions.id, bytes, updated_at FROM sessions \
             CROSS JOIN users ON users.key = sessions.user WHERE anonymous = 1 AND updated_at >= 0 ORDER BY updated_at LIMIT ?1";
}

/// An anonymous session to be deleted.
struct Old {
    key: i64,
    user: i64,
    name: (UserId, SessionId),
}

/// Deletes some anonymous sessions beyond the retention; returns them.
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
