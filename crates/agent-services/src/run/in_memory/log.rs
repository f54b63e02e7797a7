//! A log in memory.

use agent_schemas::sse;
use bytes::Bytes;

use crate::run::{Batch, LogChunk};
use crate::{Error, ErrorKind, Result};

/// How many batches are merged into one, and up to which size.
const MERGED: usize = 16;
const MERGED_BYTES: usize = 16 * 1024;

/// Up to this size, the log of an ended run is compacted, unless it has only a few batches.
const SEALED_BYTES: usize = 64 * 1024;
const FEW: usize = 2;
const SMALL_BYTES: usize = 1024;

/// The entries of a run.
#[derive(Debug, Default)]
pub(super) struct Log {
    batches: Vec<Batch>,
    /// The number of last batches that have not been considered for merging.
    small: usize,
    bytes: usize,
    pub(super) ended: bool,
}

impl Log {
    /// The number of the next entry.
    pub(super) fn next(&self) -> u64 {
        self.batches.last().map_or(0, Batch::end)
    }

    /// The number of the first kept entry.
    pub(super) fn first(&self) -> u64 {
        self.batches.first().map_or(0, |batch| batch.first)
    }

    /// The size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether entries would be new, if they may be appended. Changes nothing.
    pub(super) fn is_new(&self, operation: &'static str, batch: &Batch) -> Result<bool> {
        let conflict = |message| Err(Error::new(ErrorKind::Conflict, operation, message));
        if batch.first != self.next() {
            return if self.contains(batch) {
                Ok(false)
            } else {
                conflict("the entries do not continue the log")
            };
        }
        if self.ended {
            // A repeated `finish` without entries has an empty batch at the end.
            return if batch.count == 0 { Ok(false) } else { conflict("the log has ended") };
        }
        Ok(true)
    }

    /// Appends entries; returns whether they are new.
    pub(super) fn append(&mut self, operation: &'static str, batch: Batch) -> Result<bool> {
        if !self.is_new(operation, &batch)? {
            return Ok(false);
        }
        if batch.count > 0 {
            self.bytes += batch.frames.len();
            self.batches.push(batch);
            self.small += 1;
            if self.small == MERGED {
                self.merge();
            }
        }
        Ok(true)
    }

    /// Whether exactly these entries were appended before.
    fn contains(&self, batch: &Batch) -> bool {
        let holder = self.batches.partition_point(|known| known.end() <= batch.first);
        let known = self.batches.get(holder).and_then(|known| known.starting_at(batch.first));
        // Batches are only merged as a whole, so an appended batch is contained in one of the kept ones.
        known.is_some_and(|known| {
            batch.first == known.first && batch.end() <= known.end() && {
                let end = usize::try_from(batch.count).map(|count| sse::skip_frames(&known.frames, count));
                end.is_ok_and(|end| known.frames[..end] == batch.frames)
            }
        })
    }

    /// Marks the end of the log. A short log is compacted, so that it takes no more memory than it needs while it is
    /// kept.
    pub(super) fn end(&mut self) {
        self.ended = true;
        if self.batches.len() > FEW && self.bytes <= SEALED_BYTES {
            self.batches = vec![Batch::concat(&self.batches)];
            return;
        }
        for batch in self.batches.iter_mut().filter(|batch| batch.frames.len() < SMALL_BYTES) {
            // A small slice would keep the whole buffer alive.
            batch.frames = Bytes::copy_from_slice(&batch.frames);
        }
    }

    /// Drops all entries except the last.
    pub(super) fn trim(&mut self) {
        let last = self.next().saturating_sub(1);
        self.batches = self.batches.pop().and_then(|batch| batch.starting_at(last)).into_iter().collect();
        for batch in &mut self.batches {
            // A slice of a batch would keep the whole batch alive.
            batch.frames = Bytes::copy_from_slice(&batch.frames);
        }
        self.bytes = self.batches.iter().map(|batch| batch.frames.len()).sum();
    }

    /// Merges the last batches: otherwise a log of single words would spend more memory on batches than on text.
    fn merge(&mut self) {
        self.small = 0;
        let parts = self.batches.split_off(self.batches.len() - MERGED);
        let bytes: usize = parts.iter().map(|part| part.frames.len()).sum();
        if bytes > MERGED_BYTES {
            self.batches.extend(parts);
            return;
        }
        self.batches.push(Batch::concat(&parts));
    }

    /// A slice of the log, if it is kept.
    pub(super) fn read(&self, from: u64, max_bytes: usize) -> Option<LogChunk> {
        if from < self.first() {
            return None;
        }
        let start = self.batches.partition_point(|batch| batch.end() <= from);
        let mut chunk = LogChunk { batches: Vec::new(), is_end: self.ended };
        let mut bytes = 0;
        for batch in &self.batches[start..] {
            if bytes >= max_bytes && !chunk.batches.is_empty() {
                chunk.is_end = false;
                break;
            }
            bytes += batch.frames.len();
            chunk.batches.extend(batch.starting_at(from));
        }
        Some(chunk)
    }
}
