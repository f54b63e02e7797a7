//! The end of a run, before it is written.

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
    /// What is appended to the session.
    pub(in crate::sqlite) history: Option<Append>,
}
