//! Users, whose ids are stored once.

use rusqlite::Connection;

use super::failure::Outcome;
use super::statement::statements;

statements! {
    FIND: "SELECT key FROM users WHERE id = ?1";
    ADD: "INSERT INTO users (id) VALUES (?1)";
}

/// The key of a user.
pub(super) fn find(connection: &Connection, user: &str) -> Outcome<Option<i64>> {
    FIND.one(connection, [user.as_bytes()], |row| Ok(row.get(0)?))
}

/// The key of a user, created if necessary.
pub(super) fn find_or_add(connection: &Connection, user: &str) -> Outcome<i64> {
    if let Some(key) = find(connection, user)? {
        return Ok(key);
    }
    ADD.execute(connection, [user.as_bytes()])?;
    Ok(connection.last_insert_rowid())
}
