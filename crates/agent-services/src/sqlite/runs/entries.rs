//! The entries of runs, in the batches in which they were appended. Entries stored with the request are in its row.

use agent_schemas::{RunId, sse};
use rusqlite::{Connection, Row, params};

use super::pack::{PACKING, pack, unpack};
use crate::run::{Batch, LogChunk};
use crate::sqlite::failure::Outcome;
use crate::sqlite::statement::{bounded, statements};

statements! {
    ADD: "INSERT INTO run_batches (run, first, count, packing, unpacked_bytes, frames) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    LENGTH: "SELECT key, first_entry, entries, end_number IS NOT NULL FROM runs WHERE id = ?1";
    LAST: "SELECT first, count, packing, unpacked_bytes, frames FROM run_batches WHERE run = ?1 \
           ORDER BY first DESC LIMIT 1";
    FORGET: "DELETE FROM run_batches WHERE run = ?1";
    FORGET_FIRST: "UPDATE run_requests SET count = 0, unpacked_bytes = NULL, frames = NULL WHERE run = ?1 AND count > 0";
    READ_FIRST: "SELECT 0, count, packing, unpacked_bytes, frames FROM run_requests WHERE run = ?1 AND count > ?2";
    READ: "SELECT first, count, packing, unpacked_bytes, frames FROM run_batches \
           WHERE run = ?1 AND first >= coalesce((SELECT first FROM run_batches WHERE run = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1), 0) ORDER BY first";
}

/// Fewer bytes than this are not worth compressing.
const SMALL: usize = 512;

/// Entries that are ready to be stored.
#[derive(Debug)]
pub(in crate::sqlite) struct EncodedBatch {
    pub(super) batch: Batch,
    /// The frames, compressed by [`pack`]: each event repeats most of the previous one.
    packed: Option<Vec<u8>>,
}

impl EncodedBatch {
    pub(in crate::sqlite) fn new(batch: Batch) -> Self {
        let packed = pack(&batch.frames, SMALL);
        EncodedBatch { batch, packed }
    }

    /// The number of entries, their size if they are compressed, and their frames.
    pub(super) fn columns(&self) -> (i64, Option<usize>, &[u8]) {
        let EncodedBatch { batch, packed } = self;
        let unpacked = packed.as_ref().map(|_| batch.frames.len());
        (bounded(batch.count), unpacked, packed.as_deref().unwrap_or(&batch.frames))
    }

    /// Stores entries that are known to be the next.
    pub(super) fn add(&self, connection: &Connection, run: i64) -> Outcome<()> {
        if self.batch.count > 0 {
            let (count, unpacked, frames) = self.columns();
            let (first, packing) = (bounded(self.batch.first), unpacked.map(|_| PACKING));
            ADD.execute(connection, params![run, first, count, packing, unpacked, frames])?;
        }
        Ok(())
    }
}

/// Whether a log has exactly these entries, in whatever batches they were appended.
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

/// The range of a run's entries.
pub(in crate::sqlite) struct Length {
    run: i64,
    first: u64,
    pub(in crate::sqlite) entries: u64,
    pub(in crate::sqlite) has_ended: bool,
}

pub(in crate::sqlite) fn length(connection: &Connection, id: &RunId) -> Outcome<Option<Length>> {
    LENGTH.one(connection, [id.as_str().as_bytes()], |row| {
        Ok(Length { run: row.get(0)?, first: row.get(1)?, entries: row.get(2)?, has_ended: row.get(3)? })
    })
}

/// The entries from a position on, if the first of them is kept.
pub(in crate::sqlite) fn read(
    connection: &Connection,
    id: &RunId,
    from: u64,
    max_bytes: usize,
) -> Outcome<Option<LogChunk>> {
    let length = length(connection, id)?.filter(|log| log.first <= from);
    let Some(Length { run, entries, has_ended, .. }) = length else { return Ok(None) };
    let mut chunk = LogChunk { batches: Vec::new(), is_end: has_ended };
    if from >= entries {
        return Ok(Some(chunk));
    }
    let mut bytes = 0;
    let mut end = from;
    each(connection, run, from, |batch| {
        bytes += batch.frames.len();
        end = batch.end();
        chunk.batches.push(batch);
        bytes < max_bytes
    })?;
    chunk.is_end &= end == entries;
    Ok(Some(chunk))
}

/// Deletes all entries of a log except the last; returns what is left.
pub(super) fn trim(connection: &Connection, run: i64) -> Outcome<Batch> {
    let last = match LAST.one(connection, [run], batch_of)? {
        Some(last) => Some(last),
        None => READ_FIRST.one(connection, [run, 0], batch_of)?,
    };
    let last = last.and_then(|batch| batch.starting_at(batch.end().saturating_sub(1)));
    forget(connection, run)?;
    FORGET_FIRST.execute(connection, [run])?;
    let Some(last) = last else { return Ok(Batch::empty(0)) };
    let last = EncodedBatch::new(last);
    last.add(connection, run)?;
    Ok(last.batch)
}

/// Deletes the entries that are not in the request's row.
pub(super) fn forget(connection: &Connection, run: i64) -> Outcome<()> {
    FORGET.execute(connection, [run])?;
    Ok(())
}

fn batch_of(row: &Row<'_>) -> Outcome<Batch> {
    let frames = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
    let frames = match row.get(3)? {
        None => frames.to_vec(),
        Some(bytes) => unpack(row.get(2)?, frames, bytes)?,
    };
    Ok(Batch { first: row.get(0)?, count: row.get(1)?, frames: frames.into() })
}

/// Calls a function with each batch of a log from an entry on, until it returns that it has enough.
fn each(connection: &Connection, run: i64, from: u64, mut read: impl FnMut(Batch) -> bool) -> Outcome<()> {
    let mut goes_on = true;
    for statement in [READ_FIRST, READ] {
        if goes_on {
            statement.each_while(connection, params![run, bounded(from)], |row| {
                goes_on = batch_of(row)?.starting_at(from).is_none_or(&mut read);
                Ok(goes_on)
            })?;
        }
    }
    Ok(())
}
