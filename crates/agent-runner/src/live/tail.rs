//! The end of a run's log that is kept for its readers, and who they are.

use std::collections::VecDeque;
use std::task::Waker;

use agent_services::run::Batch;
use slab::Slab;

use super::LogEnd;

/// How much of a log's end is kept for its readers; what is older they read from the store. What the
/// store does not have yet is kept whatever its size.
const TAIL_BYTES: usize = 256 * 1024;
const TAIL_BATCHES: usize = 8;

/// What readers may see.
#[derive(Debug, Default)]
pub(super) struct Tail {
    batches: VecDeque<Batch>,
    bytes: usize,
    /// The number after the last entry that was shown.
    pub(super) next: u64,
    /// The number after the last entry that the store has.
    pub(super) stored: u64,
    pub(super) end: Option<LogEnd>,
    pub(super) readers: Slab<Reader>,
}

/// A waiting reader.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) waker: Option<Waker>,
    /// It rests between two writes to its client and wants to be woken by the end only.
    pub(super) resting: bool,
}

/// What a reader finds at its position.
#[derive(Debug)]
pub(crate) enum Found {
    /// Entries, and whether the log ends with the last of them.
    Batches(Vec<Batch>, bool),
    /// They are in the store and no longer here.
    Older,
    /// Nothing yet; the waker is kept.
    Nothing,
    /// Nothing, for ever.
    End,
    /// The log went on elsewhere.
    Lost,
}

impl Tail {
    /// The tail of a log whose entries before this one are in the store.
    pub(super) fn new(next: u64) -> Self {
        Tail { next, stored: next, ..Tail::default() }
    }

    /// Whether there are readers and all of them rest.
    pub(super) fn is_resting(&self) -> bool {
        !self.readers.is_empty() && self.readers.iter().all(|(_, reader)| reader.resting)
    }

    pub(super) fn push(&mut self, batch: Batch) {
        self.next = batch.end();
        self.bytes += batch.frames.len();
        self.batches.push_back(batch);
    }

    /// Says that the store has all entries before this one, so that those who want old ones can read them there.
    pub(super) fn note_stored(&mut self, next: u64) {
        self.stored = next;
        while (self.bytes > TAIL_BYTES && self.batches.len() > 1) || self.batches.len() > TAIL_BATCHES {
            let Some(oldest) = self.batches.pop_front_if(|oldest| oldest.end() <= self.stored) else {
                return;
            };
            self.bytes -= oldest.frames.len();
        }
    }

    pub(super) fn entries(&self, from: u64) -> Found {
        if self.batches.front().is_none_or(|oldest| from < oldest.first) {
            return Found::Older;
        }
        let start = self.batches.partition_point(|batch| batch.end() <= from);
        let batches = self.batches.iter().skip(start).filter_map(|batch| batch.starting_at(from)).collect();
        Found::Batches(batches, matches!(self.end, Some(LogEnd::Finished(_))))
    }

    pub(super) fn end_rest(&mut self, key: usize) {
        if let Some(reader) = self.readers.get_mut(key) {
            reader.resting = false;
        }
    }

    pub(super) fn wait(&mut self, key: usize, waker: &Waker, resting: bool) {
        if let Some(reader) = self.readers.get_mut(key) {
            reader.resting = resting;
            match &mut reader.waker {
                Some(known) if known.will_wake(waker) => {}
                slot => *slot = Some(waker.clone()),
            }
        }
    }
}
