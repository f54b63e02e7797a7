//! The owners of runs, and orphaned runs.

use agent_schemas::RunId;
use rusqlite::{Connection, params};

use super::head::{self, WAITING};
use super::turns;
use crate::run::{EXPIRED_LEASES, FencingToken, OwnerId, no_lease};
use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::row::utf8;
use crate::sqlite::statement::{bounded, statements};

pub(in crate::sqlite) const TAKE_OVER: &str = "take over a run";

statements! {
    RENEW: "INSERT INTO owners (id, until, since, length) VALUES (?1, ?2, ?3, ?2 - ?3) ON CONFLICT (id) DO UPDATE \
            SET until = excluded.until, length = excluded.length, \
            since = CASE WHEN until > excluded.since THEN since ELSE excluded.since END";
    EXPIRE: "DELETE FROM owners WHERE until <= ?1";
    RELEASE: "DELETE FROM owners WHERE id = ?1";
    LEASE: "SELECT until, since, length FROM owners WHERE id = ?1";
    NEXT_OWNER: "SELECT owner FROM runs WHERE owner >= ?1 AND end_number IS NULL ORDER BY owner LIMIT 1";
    RUNS_OF: "SELECT id FROM runs WHERE owner = ?1 AND end_number IS NULL LIMIT ?2";
    HEADS: "SELECT id FROM runs AS this WHERE turn = 2 AND NOT EXISTS (SELECT 1 FROM runs AS other \
            WHERE other.user = this.user AND other.session = this.session AND other.turn >= 0 \
            AND (other.turn, other.place) < (2, this.place)) LIMIT ?1";
    TAKEN_UNTIL: "SELECT taken_until FROM runs WHERE key = ?1";
    TAKE: "UPDATE runs SET owner = ?2, token = token + 1, epochs = json_insert(epochs, '$[#]', entries), \
           taken_until = ?3 WHERE key = ?1 RETURNING token";
}

/// A lease; times in Unix seconds.
struct Lease {
    until: i64,
    /// Since when it has been held without a gap.
    since: i64,
    /// Its length at the last renewal.
    length: i64,
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
    EXPIRE.execute(connection, [now.saturating_sub(EXPIRED_LEASES)])?;
    RENEW.execute(connection, params![owner.as_str().as_bytes(), until, now])?;
    Ok(())
}

pub(in crate::sqlite) fn release(connection: &Connection, owner: &OwnerId) -> Outcome<()> {
    RELEASE.execute(connection, [owner.as_str().as_bytes()])?;
    Ok(())
}

/// The lease of an owner, live or expired; `None` if it has released it or never had one.
fn lease(connection: &Connection, owner: &[u8]) -> Outcome<Option<Lease>> {
    LEASE.one(connection, [owner], |row| {
        Ok(Lease { until: row.get(0)?, since: row.get(1)?, length: row.get(2)? })
    })
}

fn live_lease(connection: &Connection, owner: &[u8], now: i64) -> Outcome<Option<Lease>> {
    Ok(lease(connection, owner)?.filter(|lease| now < lease.until))
}

/// Orphaned runs: runs of owners without a live lease, and waiting runs that could start.
pub(in crate::sqlite) fn orphans(connection: &Connection, now: i64, size: usize) -> Outcome<Vec<RunId>> {
    let mut orphans =
        HEADS.all(connection, [bounded(size as u64)], |row| Ok(RunId::new(utf8(row.get(0)?)?)))?;
    let mut from = Vec::new();
    while orphans.len() < size {
        let next = NEXT_OWNER.one(connection, [&from[..]], |row| Ok(row.get::<_, Vec<u8>>(0)?))?;
        let Some(owner) = next else { break };
        if live_lease(connection, &owner, now)?.is_none() {
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
    let taker = live_lease(connection, owner.as_str().as_bytes(), now)?;
    let taker = taker.ok_or_else(|| no_lease(TAKE_OVER, owner))?;
    if is_queued {
        let head = head::head_beside(connection, run.key)?;
        if head.is_none_or(|head| head.key != run.key || head.turn != WAITING) {
            return Ok(None);
        }
        return turns::begin(connection, &run, owner).map(Some);
    }
    if let Some(current) = run.owner.as_ref().filter(|current| *current != owner)
        && !is_given_up(connection, run.key, current, &taker, now)?
    {
        return Ok(None);
    }
    let until = now.saturating_add(taker.length);
    let token =
        TAKE.one(connection, params![run.key, owner.as_str().as_bytes(), until], |row| Ok(row.get(0)?))?;
    let token = token.ok_or_else(|| Failure::Damaged("a run cannot be found again".to_owned()))?;
    Ok(Some(FencingToken(token)))
}

/// Whether the owner of a run is gone, as far as the taker can know: its lease was released, or has expired and the owner
/// has had its time to come back.
fn is_given_up(connection: &Connection, run: i64, owner: &OwnerId, taker: &Lease, now: i64) -> Outcome<bool> {
    let Some(lease) = lease(connection, owner.as_str().as_bytes())? else { return Ok(true) };
    let taken_until: Option<i64> = TAKEN_UNTIL.one(connection, [run], |row| Ok(row.get(0)?))?;
    let has_come_back = now < lease.until;
    let may_come_back =
        now < taker.since.saturating_add(taker.length) || taken_until.is_some_and(|until| now < until);
    Ok(!has_come_back && !may_come_back)
}
