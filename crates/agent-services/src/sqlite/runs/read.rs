//! Reads runs without their logs.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{RunId, RunOptions, SessionId, UserId};
use rusqlite::{Connection, Row, params};

use super::entries;
use super::request::{options_of, request_of};
use crate::run::{ChainedRun, RunFilter, RunRecord, no_run};
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::{lossy, text, utf8};
use crate::sqlite::statement::statements;
use crate::sqlite::{json, users};

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
    GET: records!("FROM runs JOIN users ON users.key = runs.user LEFT JOIN run_requests ON run = runs.key \
                   WHERE runs.id = ?1");
    // Filters by session and status scan the user's runs, whose rows are small.
    LIST: records!("FROM users CROSS JOIN runs ON runs.user = users.key LEFT JOIN run_requests ON run = runs.key \
                    WHERE users.key = ?1 AND runs.number < ?2 AND (?4 IS NULL OR runs.session = ?4) \
                    AND (?5 IS NULL OR runs.status = ?5) ORDER BY runs.number DESC LIMIT ?3");
    STEERED: records!("FROM runs AS this CROSS JOIN runs ON runs.user = this.user AND runs.session = this.session \
                       AND runs.turn = 1 CROSS JOIN users ON users.key = runs.user \
                       LEFT JOIN run_requests ON run = runs.key \
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
    let Some(user) = users::find(connection, user.as_str())? else { return Ok(Vec::new()) };
    LIST.all(connection, params![user, before, count, session, status], record_of)
}

/// How many runs of a chain are read at once, so that other readers do not wait for long.
const MAX_CHAIN: usize = 16;

/// A run and the runs that it continues, until their last entries exceed this many bytes.
pub(in crate::sqlite) fn chain(
    connection: &Connection,
    id: RunId,
    max_bytes: usize,
) -> Outcome<Vec<ChainedRun>> {
    let (mut chain, mut bytes, mut next) = (Vec::new(), 0, Some(id));
    while let Some(id) = next.take().filter(|_| bytes <= max_bytes && chain.len() < MAX_CHAIN) {
        let Some(record) = get(connection, &id)? else { break };
        let last = match record.last_entry() {
            Some(last) => entries::read(connection, &id, last, 1)?,
            None => None,
        };
        let run = ChainedRun::new(record, last);
        bytes += run.last.as_ref().map_or(0, |last| last.frames.len());
        next.clone_from(&run.record.options.continues);
        chain.push(run);
    }
    Ok(chain)
}

/// The inputs handed to a run, in order.
pub(in crate::sqlite) fn steered(connection: &Connection, id: &RunId) -> Outcome<Vec<RunRecord>> {
    STEERED.all(connection, [id.as_str().as_bytes()], record_of)
}

/// A record. Any part may be damaged: an unreadable record must not make others unreadable.
fn record_of(row: &Row<'_>) -> Outcome<RunRecord> {
    let (id, user, session) = (lossy(row, 0)?, lossy(row, 1)?, lossy(row, 2)?);
    let mut record = RunRecord::new(
        RunId::new(id),
        UserId::new(user),
        SessionId::new(session),
        String::new(),
        row.get(4)?,
        Arc::default(),
    );
    record.agent = record.part("the agent", row.get(3).map_err(Into::into).and_then(utf8));
    record.request = Arc::new(record.part("the request", request_of(row, 15)));
    record.options = record.part("the options", options_in(row));
    record.status = lossy(row, 6)?.as_str().into();
    record.number = row.get(7)?;
    record.ended_at = row.get(8)?;
    record.entries = row.get(9)?;
    record.epochs = record.part("the epochs", text(row, 10).and_then(json::from_text));
    record.cancel_requested = row.get(11)?;
    let ending = row.get::<_, Option<Vec<u8>>>(12)?.map(utf8).transpose();
    record.ending = record.part("the ending", ending);
    record.options.response_ttl = Duration::from_secs(row.get(13)?);
    record.first_entry = row.get(14)?;
    Ok(record)
}

fn options_in(row: &Row<'_>) -> Outcome<RunOptions> {
    options_of(row.get_ref(5)?.as_blob().map_err(rusqlite::Error::from)?, row.get(17)?)
}

/// Until when a run counts as having a reader.
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
