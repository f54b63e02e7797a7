//! The entries of runs, in the pieces in which they were appended.

use agent_schemas::{RunId, sse};
use rusqlite::{Connection, Row, params};

use crate::run::{Batch, Page};
use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::statement::{bounded, statements};

statements! {
    ADD: "INSERT INTO run_batches (run, first, count, unpacked_bytes, frames) VALUES (?1, ?2, ?3, ?4, ?5)";
    LENGTH: "SELECT key, first_entry, entries, end_number IS NOT NULL FROM runs WHERE id = ?1";
    LAST: "SELECT first, count, unpacked_bytes, frames FROM run_batches WHERE run = ?1 ORDER BY first DESC LIMIT 1";
    FORGET: "DELETE FROM run_batches WHERE run = ?1";
    READ: "SELECT first, count, unpacked_bytes, frames FROM run_batches WHERE run = ?1 AND first >= coalesce((SELECT first \
           FROM run_batches WHERE run = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1), 0) ORDER BY first";
}

/// Less than this is not worth compressing.
const SMALL: usize = 512;
/// LZ4 makes at most so many bytes of one.
const MAX_RATIO: usize = 256;

/// Entries that are ready to be stored.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) batch: Batch,
    /// The frames as a block of LZ4, where that is less: events repeat most of what is in the one before them.
    packed: Option<Vec<u8>>,
}

impl Piece {
    pub(super) fn new(batch: Batch) -> Self {
        let packed = (batch.frames.len() >= SMALL).then(|| lz4_flex::block::compress(&batch.frames));
        let packed = packed.filter(|packed| packed.len() < batch.frames.len());
        Piece { batch, packed }
    }

    /// Stores entries that are known to be the next.
    pub(super) fn add(&self, connection: &Connection, run: i64) -> Outcome<()> {
        let Piece { batch, packed } = self;
        if batch.count > 0 {
            let (first, count) = (bounded(batch.first), bounded(batch.count));
            let unpacked = packed.as_ref().map(|_| batch.frames.len());
            let frames = packed.as_deref().unwrap_or(&batch.frames);
            ADD.execute(connection, params![run, first, count, unpacked, frames])?;
        }
        Ok(())
    }
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

/// Which entries a run has.
pub(super) struct Length {
    run: i64,
    first: u64,
    pub(super) entries: u64,
    pub(super) has_ended: bool,
}

pub(super) fn length(connection: &Connection, id: &RunId) -> Outcome<Option<Length>> {
    LENGTH.one(connection, [id.as_str().as_bytes()], |row| {
        Ok(Length { run: row.get(0)?, first: row.get(1)?, entries: row.get(2)?, has_ended: row.get(3)? })
    })
}

/// The entries from a position on, if the first of them is kept.
pub(super) fn read(
    connection: &Connection,
    id: &RunId,
    from: u64,
    max_bytes: usize,
) -> Outcome<Option<Page>> {
    let length = length(connection, id)?.filter(|log| log.first <= from);
    let Some(Length { run, entries, has_ended, .. }) = length else { return Ok(None) };
    let mut page = Page { batches: Vec::new(), is_end: has_ended };
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

/// Forgets all entries of a log but the last; gives what is left.
pub(super) fn trim(connection: &Connection, run: i64) -> Outcome<Batch> {
    let last = LAST.one(connection, [run], batch_of)?;
    let last = last.and_then(|batch| batch.starting_at(batch.end().saturating_sub(1)));
    forget(connection, run)?;
    let Some(last) = last else { return Ok(Batch::empty(0)) };
    let last = Piece::new(last);
    last.add(connection, run)?;
    Ok(last.batch)
}

pub(super) fn forget(connection: &Connection, run: i64) -> Outcome<()> {
    FORGET.execute(connection, [run])?;
    Ok(())
}

fn batch_of(row: &Row<'_>) -> Outcome<Batch> {
    let frames = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
    let frames = match row.get(2)? {
        None => frames.to_vec(),
        Some(bytes) => unpacked(frames, bytes)?,
    };
    Ok(Batch { first: row.get(0)?, count: row.get(1)?, frames: frames.into() })
}

fn unpacked(frames: &[u8], bytes: usize) -> Outcome<Vec<u8>> {
    let damaged = |why: &str| Failure::Damaged(format!("the entries of a run cannot be unpacked: {why}"));
    if bytes > frames.len().saturating_mul(MAX_RATIO) {
        return Err(damaged("they would be larger than they can be"));
    }
    lz4_flex::block::decompress(frames, bytes).map_err(|error| damaged(&error.to_string()))
}

/// Calls a function with each piece of a log from an entry on, until it says that it has enough.
fn each(connection: &Connection, run: i64, from: u64, mut read: impl FnMut(Batch) -> bool) -> Outcome<()> {
    READ.each_while(connection, params![run, bounded(from)], |row| {
        Ok(batch_of(row)?.starting_at(from).is_none_or(&mut read))
    })
}
