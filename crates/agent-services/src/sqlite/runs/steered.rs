//! The inputs that were handed to a run in progress.

use agent_schemas::RunId;
use rusqlite::{Connection, params};

use super::notifications::Notifications;
use super::{log, retention};
use crate::run::FencingToken;
use crate::sqlite::failure::Outcome;
use crate::sqlite::statement::statements;

statements! {
    FIND_STEERED: "SELECT other.key FROM runs AS this CROSS JOIN runs AS other \
                   ON other.user = this.user AND other.session = this.session AND other.turn = 1 \
                   WHERE this.key = ?1 AND this.turn = 0 AND other.id = ?2";
}

pub(in crate::sqlite) const DROP: &str = "drop the input handed to a run";

/// Drops the given inputs, if they were handed to the run.
pub(in crate::sqlite) fn drop_steered(
    connection: &Connection,
    id: &RunId,
    token: FencingToken,
    taken: &[RunId],
    notifications: &mut Notifications,
) -> Outcome<()> {
    let run = log::find(connection, DROP, id, token)?;
    for taken in taken {
        let ids = params![run.key, taken.as_str().as_bytes()];
        if let Some(key) = FIND_STEERED.one(connection, ids, |row| Ok(row.get(0)?))? {
            retention::forget(connection, key)?;
            notifications.wake(taken.clone());
        }
    }
    Ok(())
}
