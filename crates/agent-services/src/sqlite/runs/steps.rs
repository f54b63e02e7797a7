//! The steps of runs.

use agent_schemas::RunId;
use rusqlite::{Connection, params};

use super::{head, log};
use crate::run::{FencingToken, Step, no_run};
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::utf8;
use crate::sqlite::statement::{bounded, statements};

pub(in crate::sqlite) const PUT: &str = "keep a step of a run";
pub(in crate::sqlite) const CLAIM: &str = "claim a step of a run";

statements! {
    ADD: "INSERT INTO run_steps (run, key, data) VALUES (?1, ?2, ?3)";
    REPLACE: "UPDATE run_steps SET data = ?3 WHERE run = ?1 AND key = ?2";
    GROW: "UPDATE runs SET bytes = bytes + ?2 WHERE key = ?1";
    ONE: "SELECT data FROM run_steps WHERE run = ?1 AND key = ?2";
    OF_RUN: "SELECT run_steps.key, data FROM runs CROSS JOIN run_steps ON run = runs.key WHERE runs.id = ?1 \
             ORDER BY run_steps.key";
    BYTES: "SELECT coalesce(sum(length(key) + length(CAST(data AS BLOB))), 0) FROM run_steps WHERE run = ?1";
    FORGET: "DELETE FROM run_steps WHERE run = ?1";
}

/// Keeps a step, in place of an earlier one with its key.
pub(in crate::sqlite) fn put(
    connection: &Connection,
    id: &RunId,
    token: FencingToken,
    step: &Step,
) -> Outcome<()> {
    let run = log::find(connection, PUT, id, token)?;
    if run.has_ended {
        return Err(log::conflict(PUT, "the log has ended"));
    }
    match find(connection, run.key, &step.key)? {
        None => add(connection, run.key, step),
        Some(earlier) => {
            REPLACE.execute(connection, params![run.key, step.key.as_bytes(), step.data])?;
            let more = bounded(step.data.len() as u64) - bounded(earlier.data.len() as u64);
            GROW.execute(connection, [run.key, more])?;
            Ok(())
        }
    }
}

/// Keeps a step unless there is one with its key; returns the kept one.
pub(in crate::sqlite) fn claim(connection: &Connection, id: &RunId, step: &Step) -> Outcome<Step> {
    let Some((run, _, has_ended)) = head::find(connection, id)? else { return Err(no_run(CLAIM, id).into()) };
    if let Some(kept) = find(connection, run.key, &step.key)? {
        return Ok(kept);
    }
    if has_ended {
        // The total size of ended runs stays that of their rows.
        ADD.execute(connection, params![run.key, step.key.as_bytes(), step.data])?;
    } else {
        add(connection, run.key, step)?;
    }
    Ok(step.clone())
}

fn add(connection: &Connection, run: i64, step: &Step) -> Outcome<()> {
    ADD.execute(connection, params![run, step.key.as_bytes(), step.data])?;
    GROW.execute(connection, [run, bounded(step.bytes())])?;
    Ok(())
}

fn find(connection: &Connection, run: i64, key: &str) -> Outcome<Option<Step>> {
    ONE.one(connection, params![run, key.as_bytes()], |row| Ok(Step::new(key, row.get::<_, String>(0)?)))
}

/// The steps of a run, in the order of their keys.
pub(in crate::sqlite) fn of_run(connection: &Connection, id: &RunId) -> Outcome<Vec<Step>> {
    OF_RUN.all(connection, [id.as_str().as_bytes()], |row| {
        Ok(Step::new(utf8(row.get(0)?)?, row.get::<_, String>(1)?))
    })
}

/// The size of a run's steps.
pub(super) fn bytes(connection: &Connection, run: i64) -> Outcome<u64> {
    Ok(BYTES.one(connection, [run], |row| Ok(row.get(0)?))?.unwrap_or_default())
}

pub(super) fn forget(connection: &Connection, run: i64) -> Outcome<()> {
    FORGET.execute(connection, [run])?;
    Ok(())
}
