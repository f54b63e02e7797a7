//! The ended runs, in order, and their total size.

use rusqlite::Connection;

use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::statement::{bounded, statements};

/// The approximate size of a run apart from its log.
pub(super) const OVERHEAD: u64 = 1024;

statements! {
    COUNT: "UPDATE run_totals SET last_end = last_end + 1, bytes = bytes + ?1 WHERE key = 1 RETURNING last_end";
}

/// Adds a run whose log has this many bytes to the ended runs; returns its number.
pub(super) fn count(connection: &Connection, bytes: u64) -> Outcome<i64> {
    let number = COUNT.one(connection, [bounded(bytes + OVERHEAD)], |row| Ok(row.get(0)?))?;
    number.ok_or_else(|| Failure::Damaged("the run totals are missing".to_owned()))
}
