//! The end of a run, prepared for writing.

use agent_schemas::{RunId, Status};

use super::entries::EncodedBatch;
use crate::run::{FencingToken, OwnerId};
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
    /// Whether the caller knows of a request to stop, if there is one.
    pub(in crate::sqlite) cancel_seen: bool,
}
