//! The entries of runs, in the pieces in which they were appended.

use agent_schemas::{RunId, sse};
use rusqlite::{Connection, params};

use crate::run::{Batch, Page};
use crate::sqlite::failure::Outcome;
use crate::sqlite::statement::{bounded, statements};

statements! {
    ADD: "INSERT INTO run_batches (run, first, count, frames) VALUES (?1, ?2, ?3, ?4)";
    LENGTH: "SELECT key, entries, end_number IS NOT NULL FROM runs WHERE id = ?1";
    READ: "SELECT first, count, frames FROM run_batches WHERE run = ?1 AND first >= coalesce((SELECT first \
           FROM run_batches WHERE run = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1), 0) ORDER BY first";
}

/// Stores entries that are known to be the next.
pub(super) fn add(connection: &Connection, run: i64, batch: &Batch) -> Outcome<()> {
    if batch.count > 0 {
        let (first, count) = (bounded(batch.first), bounded(batch.count));
        ADD.execute(connection, params![run, first, count, &batch.frames[..]])?;
    }
    Ok(())
}

/// Whether a log has exactly these entries, which end where it has some; in whatever pieces they were appended.
pub(super) fn are_there(connection: &Connection, run: i64, batch: &Batch) -> Outcome<bool> {
    let end = batch.end();
    let mut rest = &batch.frames[..];
    let mut is_same = true;
    each(connection, run, batch.first, |known| {
        let count = end.saturating_sub(known.first).min(known.count);
        let bytes = usize::try_from(count).map_or(0, |count| sse::skip_frames(&known.frames, count));
        match rest.strip_prefix(&known.frames[..bytes]) {
            Some(others) => rest = others,
            None => is_same = false,
        }
        is_same && known.end() < end
    })?;
    Ok(is_same && rest.is_empty())
}

/// How many entries a run has, and whether these are all.
pub(super) fn length(connection: &Connection, id: &RunId) -> Outcome<Option<(i64, u64, bool)>> {
    LENGTH.one(connection, [id.as_str().as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// The entries from a position on.
pub(super) fn read(
    connection: &Connection,
    id: &RunId,
    from: u64,
    max_bytes: usize,
) -> Outcome<Option<Page>> {
    let Some((run, entries, is_end)) = length(connection, id)? else { return Ok(None) };
    let mut page = Page { batches: Vec::new(), is_end };
    if from >= entries {
        return Ok(Some(page));
    }
    let mut bytes = 0;
    let mut end = from;
    each(connection, run, from, |batch| {
        bytes += batch.frames.len();
        end = batch.end();
        page.batches.push(batch);
        bytes < max_bytes
    })?;
    page.is_end &= end == entries;
    Ok(Some(page))
}

/// Calls a function with each piece of a log from an entry on, until it says that it has enough.
fn each(connection: &Connection, run: i64, from: u64, mut read: impl FnMut(Batch) -> bool) -> Outcome<()> {
    READ.each_while(connection, params![run, bounded(from)], |row| {
        let frames = row.get::<_, Vec<u8>>(2)?.into();
        let batch = Batch { first: row.get(0)?, count: row.get(1)?, frames };
        Ok(batch.starting_at(from).is_none_or(&mut read))
    })
}
