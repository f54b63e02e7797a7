//! Finds the run in progress of a session, or the next one.

use agent_schemas::{RunId, Status};
use rusqlite::{Connection, Row, params};

use crate::run::OwnerId;
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::utf8;
use crate::sqlite::statement::statements;

/// In progress.
pub(super) const ACTIVE: i64 = 0;
/// Handed to the run in progress.
pub(super) const STEERED: i64 = 1;
/// Waiting.
pub(super) const WAITING: i64 = 2;

statements! {
    HEAD: "SELECT key, id, owner, turn, token FROM runs WHERE user = ?1 AND session = ?2 AND turn >= 0 \
           ORDER BY turn, place LIMIT 1";
    HEAD_BESIDE: "SELECT head.key, head.id, head.owner, head.turn, head.token FROM runs AS this CROSS JOIN runs AS head \
                  ON head.user = this.user AND head.session = this.session AND head.turn >= 0 \
                  WHERE this.key = ?1 ORDER BY head.turn, head.place LIMIT 1";
    FIND: "SELECT key, id, owner, turn, token, status, end_number IS NOT NULL FROM runs WHERE id = ?1";
}

/// A run that has or may get its turn.
pub(super) struct Head {
    pub(super) key: i64,
    pub(super) id: RunId,
    pub(super) owner: Option<OwnerId>,
    pub(super) turn: i64,
    pub(super) token: u64,
}

/// The run in progress in a session, or else the first waiting run.
pub(super) fn head(connection: &Connection, user: i64, session: &[u8]) -> Outcome<Option<Head>> {
    HEAD.one(connection, params![user, session], head_of)
}

/// The same for the session of a run.
pub(super) fn head_beside(connection: &Connection, run: i64) -> Outcome<Option<Head>> {
    HEAD_BESIDE.one(connection, [run], head_of)
}

fn head_of(row: &Row<'_>) -> Outcome<Head> {
    Ok(Head {
        key: row.get(0)?,
        id: RunId::new(utf8(row.get(1)?)?),
        owner: owner_of(row.get(2)?)?,
        // A run without a turn has none of these values.
        turn: row.get::<_, Option<i64>>(3)?.unwrap_or(-1),
        token: row.get(4)?,
    })
}

fn owner_of(column: Option<Vec<u8>>) -> Outcome<Option<OwnerId>> {
    Ok(column.map(utf8).transpose()?.map(OwnerId::new))
}

/// A run, whether it waits, and whether it has ended.
pub(super) fn find(connection: &Connection, id: &RunId) -> Outcome<Option<(Head, bool, bool)>> {
    FIND.one(connection, [id.as_str().as_bytes()], |row| {
        let is_queued = row.get_ref(5)?.as_str().is_ok_and(|status| status == Status::Queued.as_str());
        Ok((head_of(row)?, is_queued, row.get(6)?))
    })
}
