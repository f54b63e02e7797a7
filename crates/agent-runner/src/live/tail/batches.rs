//! The latest entries of a log, kept in memory for its readers.

use std::collections::VecDeque;

use agent_services::run::Batch;
use bytes::Bytes;

/// How much of the end of a log is kept for its readers, which read older entries from the store. Entries that are
/// not stored yet are always kept.
const TAIL_BYTES: usize = 256 * 1024;
const TAIL_BATCHES: usize = 8;

/// Up to this size, entries are kept together.
const PIECE_BYTES: usize = 64 * 1024;

/// What a reader finds at its position.
#[derive(Debug)]
pub(crate) enum TailRead {
    /// Entries, and whether the log ends with the last of them.
    Batches(Vec<Batch>, bool),
    /// The entries are in the store and no longer here.
    Older,
    /// No entries yet; the waker is kept.
    Nothing,
    /// No further entries: the log has ended.
    End,
    /// No further entries here: the log continues in another process.
    Lost,
}

/// The latest batches.
#[derive(Debug)]
pub(super) struct Batches {
    batches: VecDeque<Batch>,
    bytes: usize,
    next: u64,
    stored: u64,
    /// Whether batches are pieces of one that is too large to be kept as a whole.
    are_pieces: bool,
}

impl Batches {
    /// No batches yet, of a log whose entries before this number are in the store.
    pub(super) fn new(next: u64) -> Self {
        Batches { batches: VecDeque::new(), bytes: 0, next, stored: next, are_pieces: false }
    }

    /// The number after the last entry.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The number after the last entry that the store has.
    pub(super) fn stored(&self) -> u64 {
        self.stored
    }

    pub(super) fn push(&mut self, batch: Batch) {
        self.next = batch.end();
        self.bytes += batch.frames.len();
        if batch.frames.len() <= TAIL_BYTES {
            self.batches.push_back(batch);
        } else {
            self.batches.extend(batch.pieces(PIECE_BYTES));
            self.are_pieces = true;
        }
    }

    /// Notes that the store has all entries before this number, and drops old ones that can be read from it.
    pub(super) fn note_stored(&mut self, next: u64) {
        self.stored = next;
        while (self.bytes > TAIL_BYTES && self.batches.len() > 1) || self.batches.len() > TAIL_BATCHES {
            let Some(oldest) = self.batches.pop_front_if(|oldest| oldest.end() <= self.stored) else {
                return;
            };
            self.bytes -= oldest.frames.len();
        }
        if std::mem::take(&mut self.are_pieces) {
            // A piece would keep the whole batch alive.
            for piece in &mut self.batches {
                piece.frames = Bytes::copy_from_slice(&piece.frames);
            }
        }
    }

    /// The entries from `from` on, which is before the end, and whether the log ends with the last of them.
    pub(super) fn read(&self, from: u64, is_finished: bool) -> TailRead {
        if self.batches.front().is_none_or(|oldest| from < oldest.first) {
            return TailRead::Older;
        }
        let start = self.batches.partition_point(|batch| batch.end() <= from);
        let batches = self.batches.iter().skip(start).filter_map(|batch| batch.starting_at(from)).collect();
        TailRead::Batches(batches, is_finished)
    }
}
