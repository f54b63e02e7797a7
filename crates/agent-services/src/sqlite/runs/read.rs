//! Reads runs without their logs.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{RunId, SessionId, UserId};
use rusqlite::{Connection, Row, params};

use super::request::{options_of, request_of};
use crate::run::{RunFilter, RunRecord, no_run};
use crate::sqlite::failure::Outcome;
use crate::sqlite::json;
use crate::sqlite::row::{text, utf8};
use crate::sqlite::statement::statements;

pub(in crate::sqlite) const READER_TTL: &str = "check for readers of a run";
pub(in crate::sqlite) const TOUCH_READER: &str = "register a reader of a run";

/// A statement for complete records, with the columns that it selects.
macro_rules! records {
    ($rest:literal) => {
        concat!(
            "SELECT runs.id, users.id, runs.session, agent, runs.created_at, options, runs.status, runs.number, \
             runs.ended_at, runs.entries, runs.epochs, runs.cancel_requested, runs.ending, \
             runs.kept_for, runs.first_entry, request, request_bytes, packing ",
            $rest
        )
    };
}

statements! {
    GET: records!("FROM runs JOIN users ON users.key = runs.user JOIN run_requests ON run = runs.key WHERE runs.id = ?1");
    // Filters by session and status scan only the user's runs, which are small rows.
    LIST: records!("FROM users CROSS JOIN runs ON runs.user = users.key CROSS JOIN run_requests ON run = runs.key \
                    WHERE users.id = ?1 AND runs.number < ?2 AND (?4 IS NULL OR runs.session = ?4) \
                    AND (?5 IS NULL OR runs.status = ?5) ORDER BY runs.number DESC LIMIT ?3");
    STEERED: records!("FROM runs AS this CROSS JOIN runs ON runs.user = this.user AND runs.session = this.session \
                       AND runs.turn = 1 CROSS JOIN users ON users.key = runs.user \
                       CROSS JOIN run_requests ON run = runs.key \
                       WHERE this.id = ?1 AND this.turn = 0 ORDER BY runs.place");
    READER_UNTIL: "SELECT attended_until FROM runs WHERE id = ?1";
    EXTEND_READER: "UPDATE runs SET attended_until = max(attended_until, ?2) WHERE id = ?1";
}

/// The record of a run.
pub(in crate::sqlite) fn get(connection: &Connection, id: &RunId) -> Outcome<Option<RunRecord>> {
    GET.one(connection, [id.as_str().as_bytes()], record_of)
}

/// A user's runs before a number, newest first.
pub(in crate::sqlite) fn list(
    connection: &Connection,
    user: &UserId,
    filter: &RunFilter,
    before: i64,
    count: usize,
) -> Outcome<Vec<RunRecord>> {
    let session = filter.session.as_ref().map(|session| session.as_str().as_bytes());
    let status = filter.status.as_ref().map(|status| status.as_str());
    LIST.all(connection, params![user.as_str().as_bytes(), before, count, session, status], record_of)
}

/// The inputs handed to a run, in order.
pub(in crate::sqlite) fn steered(connection: &Connection, id: &RunId) -> Outcome<Vec<RunRecord>> {
    STEERED.all(connection, [id.as_str().as_bytes()], record_of)
}

fn record_of(row: &Row<'_>) -> Outcome<RunRecord> {
    let mut record = RunRecord::new(
        RunId::new(utf8(row.get(0)?)?),
        UserId::new(utf8(row.get(1)?)?),
        SessionId::new(utf8(row.get(2)?)?),
        utf8(row.get(3)?)?,
        row.get(4)?,
        Arc::new(request_of(row, 15)?),
    );
    record.options = options_of(row.get_ref(5)?.as_blob().map_err(rusqlite::Error::from)?, row.get(17)?)?;
    record.status = text(row, 6)?.into();
    record.number = row.get(7)?;
    record.ended_at = row.get(8)?;
    record.entries = row.get(9)?;
    record.epochs = json::from_text(text(row, 10)?)?;
    record.cancel_requested = row.get(11)?;
    record.ending = row.get::<_, Option<Vec<u8>>>(12)?.map(utf8).transpose()?;
    record.options.response_ttl = Duration::from_secs(row.get(13)?);
    record.first_entry = row.get(14)?;
    Ok(record)
}

/// The time until which a run counts as having a reader.
pub(in crate::sqlite) fn reader_until(connection: &Connection, id: &RunId) -> Outcome<i64> {
    let until = READER_UNTIL.one(connection, [id.as_str().as_bytes()], |row| Ok(row.get(0)?))?;
    until.ok_or_else(|| no_run(READER_TTL, id).into())
}

/// Extends the time until which a run counts as having a reader.
pub(in crate::sqlite) fn touch_reader(connection: &Connection, id: &RunId, until: i64) -> Outcome<()> {
    match EXTEND_READER.execute(connection, params![id.as_str().as_bytes(), until])? {
        0 => Err(no_run(TOUCH_READER, id).into()),
        _ => Ok(()),
    }
}
