//! The readers of a live run, and how they are woken.

use std::task::Waker;

use slab::Slab;

/// The readers of one run.
#[derive(Debug, Default)]
pub(super) struct Readers(Slab<Reader>);

#[derive(Debug, Default)]
struct Reader {
    waker: Option<Waker>,
    /// The reader rests between two writes to its client, and only the end of the log wakes it.
    is_resting: bool,
}

impl Readers {
    /// Registers a reader; returns its key.
    pub(super) fn add(&mut self) -> usize {
        self.0.insert(Reader::default())
    }

    pub(super) fn remove(&mut self, key: usize) {
        self.0.remove(key);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there are readers, all of them resting.
    pub(super) fn are_resting(&self) -> bool {
        !self.is_empty() && self.0.iter().all(|(_, reader)| reader.is_resting)
    }

    /// Keeps a reader's waker. Only the end of the log wakes a resting reader.
    pub(super) fn wait(&mut self, key: usize, waker: &Waker, is_resting: bool) {
        if let Some(reader) = self.0.get_mut(key) {
            reader.is_resting = is_resting;
            match &mut reader.waker {
                Some(known) if known.will_wake(waker) => {}
                slot => *slot = Some(waker.clone()),
            }
        }
    }

    pub(super) fn end_rest(&mut self, key: usize) {
        if let Some(reader) = self.0.get_mut(key) {
            reader.is_resting = false;
        }
    }

    /// Takes the wakers of the readers that new entries should wake, or all of them if the log has ended.
    pub(super) fn take_wakers(&mut self, has_ended: bool) -> Vec<Waker> {
        let due = self.0.iter_mut().filter(|(_, reader)| has_ended || !reader.is_resting);
        due.filter_map(|(_, reader)| reader.waker.take()).collect()
    }
}
