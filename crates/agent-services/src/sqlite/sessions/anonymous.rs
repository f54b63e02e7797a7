//! Anonymous sessions, which no request has named. They are kept for a limited time.

use rusqlite::Connection;

use crate::sqlite::failure::Outcome;
use crate::sqlite::statement::{bounded, statements};

/// The approximate size of a session besides its messages.
pub(super) const OVERHEAD: u64 = 1024;

statements! {
    NOTE: "UPDATE sessions SET anonymous = 1 WHERE key = ?1";
    NAME: "UPDATE sessions SET anonymous = 0 WHERE key = ?1";
    COUNT: "UPDATE session_totals SET anonymous_bytes = anonymous_bytes + ?1 WHERE key = 1";
}

/// Marks a new session, with messages of this size.
pub(super) fn note(connection: &Connection, session: i64, bytes: u64) -> Outcome<()> {
    NOTE.execute(connection, [session])?;
    count(connection, bounded(bytes + OVERHEAD))
}

/// Counts the growth of an anonymous session.
pub(super) fn grow(connection: &Connection, before: u64, now: u64) -> Outcome<()> {
    count(connection, bounded(now) - bounded(before))
}

/// Makes an anonymous session permanent.
pub(super) fn name(connection: &Connection, session: i64, bytes: u64) -> Outcome<()> {
    NAME.execute(connection, [session])?;
    forget(connection, bytes)
}

/// Stops counting an anonymous session.
pub(super) fn forget(connection: &Connection, bytes: u64) -> Outcome<()> {
    count(connection, -bounded(bytes + OVERHEAD))
}

fn count(connection: &Connection, bytes: i64) -> Outcome<()> {
    COUNT.execute(connection, [bytes])?;
    Ok(())
}
