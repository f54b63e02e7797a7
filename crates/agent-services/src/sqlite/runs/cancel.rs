//! Cancelling a run.

use agent_schemas::{RunId, Status};
use rusqlite::Connection;

use super::entries::EncodedBatch;
use super::head::find;
use super::notifications::Notifications;
use super::turns::request_cancel;
use super::{ending, log};
use crate::run::Canceled;
use crate::sqlite::failure::Outcome;

pub(in crate::sqlite) const CANCEL: &str = "cancel a run";

/// Asks a run to stop, or ends a queued one.
pub(in crate::sqlite) fn cancel(
    connection: &Connection,
    id: &RunId,
    last: &EncodedBatch,
    now: i64,
    notifications: &mut Notifications,
) -> Outcome<Option<Canceled>> {
    let Some((run, is_queued, has_ended)) = find(connection, id)? else { return Ok(None) };
    if has_ended {
        return Ok(Some(Canceled::Ended));
    }
    if is_queued {
        let mut log = log::find_unowned(connection, CANCEL, id)?;
        if !log.write(connection, CANCEL, last)? {
            return Err(log::conflict(CANCEL, "the entries do not continue the log"));
        }
        request_cancel(connection, run.key)?;
        ending::end(connection, &log, &Status::Canceled, now)?;
        notifications.wake(id.clone());
        return Ok(Some(Canceled::Dequeued));
    }
    if !request_cancel(connection, run.key)? {
        return Ok(Some(Canceled::Ended));
    }
    notifications.signal(run.owner.as_ref(), &run.id);
    Ok(Some(Canceled::Requested))
}
