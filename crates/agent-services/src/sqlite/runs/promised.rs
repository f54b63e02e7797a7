//! Runs that have their sessions and are not written yet.
//!
//! A run whose maker does not wait for it to be stored is only promised, and written before its transaction ends. One that
//! ends before is written once, as it ended, and not made and then changed.

use std::sync::Arc;

use agent_schemas::{RunId, SessionId, UserId};
use parking_lot::Mutex;
use rusqlite::Connection;

use super::create::Create;
use crate::sqlite::failure::Outcome;

/// The promises of the transaction that is open, in their order. Only the thread that writes looks at them.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Promised(Mutex<Vec<Arc<Create>>>);

impl Promised {
    pub(super) fn add(&self, create: &Arc<Create>) {
        self.0.lock().push(Arc::clone(create));
    }

    /// Takes one out, for whoever writes it.
    pub(super) fn take(&self, id: &RunId) -> Option<Arc<Create>> {
        let mut promised = self.0.lock();
        let at = promised.iter().position(|create| create.id() == id)?;
        Some(promised.remove(at))
    }

    pub(super) fn has_session(&self, user: &UserId, session: &SessionId) -> bool {
        self.0.lock().iter().any(|create| create.is_of(user, session))
    }

    /// Writes one, if it is promised.
    pub(super) fn write_one(&self, connection: &Connection, id: &RunId) -> Outcome<()> {
        self.take(id).map_or(Ok(()), |create| create.write(connection))
    }

    /// Writes all.
    pub(in crate::sqlite) fn write(&self, connection: &Connection) -> Outcome<()> {
        let promised = std::mem::take(&mut *self.0.lock());
        promised.iter().try_for_each(|create| create.write(connection))
    }

    /// Forgets all: a transaction begins, and what was promised in another one is written or undone.
    pub(in crate::sqlite) fn forget(&self) {
        self.0.lock().clear();
    }
}
