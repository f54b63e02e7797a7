//! The owners of runs, and orphaned runs.

use agent_schemas::RunId;
use rusqlite::{Connection, params};

use super::head::{self, ACTIVE, WAITING};
use super::turns;
use crate::run::{FencingToken, OwnerId};
use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::row::utf8;
use crate::sqlite::statement::{bounded, statements};

statements! {
    RENEW: "INSERT INTO owners (id, until) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET until = excluded.until";
    EXPIRE: "DELETE FROM owners WHERE until <= ?1";
    RELEASE: "DELETE FROM owners WHERE id = ?1";
    LIVES: "SELECT 1 FROM owners WHERE id = ?1 AND until > ?2";
    NEXT_OWNER: "SELECT owner FROM runs WHERE owner >= ?1 AND end_number IS NULL ORDER BY owner LIMIT 1";
    RUNS_OF: "SELECT id FROM runs WHERE owner = ?1 AND end_number IS NULL LIMIT ?2";
    HEADS: "SELECT id FROM runs AS this WHERE turn = 2 AND NOT EXISTS (SELECT 1 FROM runs AS other \
            WHERE other.user = this.user AND other.session = this.session AND other.turn >= 0 \
            AND (other.turn, other.place) < (2, this.place)) LIMIT ?1";
    TAKE: "UPDATE runs SET owner = ?2, token = token + 1, epochs = json_insert(epochs, '$[#]', entries) \
           WHERE key = ?1 RETURNING token";
}

/// Ends all leases, because the processes of their owners have ended.
pub(in crate::sqlite) fn forget_all(connection: &Connection) -> Outcome<()> {
    Ok(connection.execute_batch("DELETE FROM owners")?)
}

pub(in crate::sqlite) fn renew(
    connection: &Connection,
    owner: &OwnerId,
    until: i64,
    now: i64,
) -> Outcome<()> {
    EXPIRE.execute(connection, [now])?;
    RENEW.execute(connection, params![owner.as_str().as_bytes(), until])?;
    Ok(())
}

pub(in crate::sqlite) fn release(connection: &Connection, owner: &OwnerId) -> Outcome<()> {
    RELEASE.execute(connection, [owner.as_str().as_bytes()])?;
    Ok(())
}

fn lives(connection: &Connection, owner: &[u8], now: i64) -> Outcome<bool> {
    Ok(LIVES.exists(connection, params![owner, now])?)
}

/// Orphaned runs: runs of owners without a live lease, and waiting runs that could start.
pub(in crate::sqlite) fn orphans(connection: &Connection, now: i64, size: usize) -> Outcome<Vec<RunId>> {
    let mut orphans =
        HEADS.all(connection, [bounded(size as u64)], |row| Ok(RunId::new(utf8(row.get(0)?)?)))?;
    let mut from = Vec::new();
    while orphans.len() < size {
        let next = NEXT_OWNER.one(connection, [&from[..]], |row| Ok(row.get::<_, Vec<u8>>(0)?))?;
        let Some(owner) = next else { break };
        if !lives(connection, &owner, now)? {
            let left = bounded((size - orphans.len()) as u64);
            RUNS_OF.each(connection, params![owner, left], |row| {
                orphans.push(RunId::new(utf8(row.get(0)?)?));
                Ok(())
            })?;
        }
        // The next greater value.
        from = owner;
        from.push(0);
    }
    Ok(orphans)
}

/// Takes over an orphaned run, or a run of the caller.
pub(in crate::sqlite) fn take_over(
    connection: &Connection,
    id: &RunId,
    owner: &OwnerId,
    now: i64,
) -> Outcome<Option<FencingToken>> {
    let Some((run, is_queued, has_ended)) = head::find(connection, id)? else { return Ok(None) };
    if has_ended {
        return Ok(None);
    }
    if is_queued {
        let head = head::head_beside(connection, run.key)?;
        if head.is_none_or(|head| head.key != run.key || head.turn != WAITING) {
            return Ok(None);
        }
        return turns::begin(connection, &run, owner, Some(ACTIVE)).map(Some);
    }
    let current = run.owner.as_ref();
    if current != Some(owner)
        && let Some(current) = current
        && lives(connection, current.as_str().as_bytes(), now)?
    {
        return Ok(None);
    }
    let token = TAKE.one(connection, params![run.key, owner.as_str().as_bytes()], |row| Ok(row.get(0)?))?;
    let token =
        token.ok_or_else(|| Failure::Damaged("a run is missing from the table of runs".to_owned()))?;
    Ok(Some(FencingToken(token)))
}
