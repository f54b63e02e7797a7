//! The end of a run, prepared for writing.

use agent_schemas::{RunId, Status};
use rusqlite::Connection;

use super::entries::EncodedBatch;
use crate::run::{FencingToken, OwnerId};
use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::sessions::append::Append;

pub(in crate::sqlite) const FINISH: &str = "finish a run";

/// The end of a log.
pub(in crate::sqlite) struct Finish {
    pub(in crate::sqlite) id: RunId,
    pub(in crate::sqlite) token: FencingToken,
    pub(in crate::sqlite) batch: EncodedBatch,
    pub(in crate::sqlite) status: Status,
    pub(in crate::sqlite) next: Option<OwnerId>,
    /// The history for the session.
    pub(in crate::sqlite) history: Option<Append>,
}

impl Finish {
    /// Distinguishes a rejection by the session from a failure.
    pub(super) fn append_history(
        &self,
        connection: &Connection,
        user: i64,
        session: &[u8],
        may_be_known: bool,
        now: i64,
    ) -> Outcome<crate::Result<()>> {
        let Some(history) = &self.history else { return Ok(Ok(())) };
        match history.run_for(connection, user, session, may_be_known, now) {
            Err(Failure::Refused(error)) => Ok(Err(error)),
            done => done.map(|_| Ok(())),
        }
    }
}
