//! What the transaction that is open has to write before it ends.

use rusqlite::Connection;

use super::ended::Ended;
use super::promised::Promised;
use crate::sqlite::failure::Outcome;

/// Only the thread that writes looks at it.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Pending {
    pub(in crate::sqlite) promised: Promised,
    pub(super) ended: Ended,
}

impl Pending {
    /// Writes it all.
    pub(in crate::sqlite) fn write(&self, connection: &Connection) -> Outcome<()> {
        self.promised.write(connection)?;
        self.ended.write(connection)
    }

    /// Forgets it all: a transaction begins, and what was pending in another one is written or undone.
    pub(in crate::sqlite) fn forget(&self) {
        self.promised.forget();
        self.ended.forget();
    }
}
