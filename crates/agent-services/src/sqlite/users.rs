//! Users, whose ids are stored once. Everything else of a user hangs on the key here, so this is the only place with tenants.

use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::statement::statements;
use crate::tenant::TenantId;

statements! {
    FIND: "SELECT key FROM users WHERE tenant = ?1 AND id = ?2";
    ADD: "INSERT INTO users (tenant, id) VALUES (?1, ?2)";
}

/// The key of a user.
pub(super) fn find(connection: &Connection, user: &str) -> Outcome<Option<i64>> {
    let ids = params![TenantId::DEFAULT.as_str().as_bytes(), user.as_bytes()];
    FIND.one(connection, ids, |row| Ok(row.get(0)?))
}

/// The key of a user, who may be new.
pub(super) fn find_or_add(connection: &Connection, user: &str) -> Outcome<i64> {
    if let Some(key) = find(connection, user)? {
        return Ok(key);
    }
    ADD.execute(connection, params![TenantId::DEFAULT.as_str().as_bytes(), user.as_bytes()])?;
    Ok(connection.last_insert_rowid())
}
