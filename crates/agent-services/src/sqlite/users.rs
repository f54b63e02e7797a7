//! Users, whose ids are stored once. All data of a user refers to the key here, so this is the only place with tenants.

use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::statement::statements;
use crate::tenant::TenantId;

statements! {
    FIND: "SELECT key FROM users WHERE tenant = ?1 AND id = ?2";
    ADD: "INSERT INTO users (tenant, id, last_session, last_memory, last_run) \
          SELECT ?1, ?2, last_session, last_memory, last_run FROM session_totals WHERE key = 1";
    FORGET_UNUSED: "DELETE FROM users WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM sessions WHERE user = ?1) \
                    AND NOT EXISTS (SELECT 1 FROM runs WHERE user = ?1) \
                    AND NOT EXISTS (SELECT 1 FROM states WHERE user = ?1) \
                    AND NOT EXISTS (SELECT 1 FROM memories WHERE user = ?1) \
                    RETURNING last_session, last_memory, last_run";
    KEEP_NUMBERS: "UPDATE session_totals SET last_session = max(last_session, ?1), \
                   last_memory = max(last_memory, ?2), last_run = max(last_run, ?3) WHERE key = 1";
}

/// The key of a user.
pub(super) fn find(connection: &Connection, user: &str) -> Outcome<Option<i64>> {
    let ids = params![TenantId::DEFAULT.as_str().as_bytes(), user.as_bytes()];
    FIND.one(connection, ids, |row| Ok(row.get(0)?))
}

/// The key of a user, created if necessary.
pub(super) fn find_or_add(connection: &Connection, user: &str) -> Outcome<i64> {
    if let Some(key) = find(connection, user)? {
        return Ok(key);
    }
    ADD.execute(connection, params![TenantId::DEFAULT.as_str().as_bytes(), user.as_bytes()])?;
    Ok(connection.last_insert_rowid())
}

/// Deletes a user without data. New numbers continue after those of deleted users, so that none is reused.
pub(super) fn forget_unused(connection: &Connection, user: i64) -> Outcome<()> {
    let last = FORGET_UNUSED.one(connection, [user], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    })?;
    if let Some((session, memory, run)) = last {
        KEEP_NUMBERS.execute(connection, params![session, memory, run])?;
    }
    Ok(())
}
