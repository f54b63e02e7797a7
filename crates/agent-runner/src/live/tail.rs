//! The end of a run's log, as its readers see it.

mod batches;

use std::task::Waker;

use agent_services::run::Batch;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::end::LogEnd;
use super::readers::Readers;

use self::batches::Batches;

pub(crate) use self::batches::TailRead;

/// The entries that readers may see.
#[derive(Debug)]
pub(crate) struct Tail {
    state: Mutex<State>,
    /// Notified whenever entries have been stored.
    stored: Notify,
    /// Notified whenever the last reader leaves.
    abandoned: Notify,
}

#[derive(Debug)]
struct State {
    batches: Batches,
    end: Option<LogEnd>,
    readers: Readers,
}

impl Tail {
    /// The tail of a log whose entries before this number are in the store.
    pub(super) fn new(next: u64) -> Self {
        let state = State { batches: Batches::new(next), end: None, readers: Readers::default() };
        Tail { state: Mutex::new(state), stored: Notify::new(), abandoned: Notify::new() }
    }

    /// The number after the last entry that readers may see.
    pub(crate) fn published(&self) -> u64 {
        self.state.lock().batches.next()
    }

    /// Whether the store has all entries before this number, or will never have them.
    pub(super) fn is_settled(&self, next: u64) -> bool {
        let state = self.state.lock();
        state.batches.stored() >= next || state.end.is_some()
    }

    /// Once enabled, resolves when entries are stored or the log ends.
    pub(super) fn progress(&self) -> Notified<'_> {
        self.stored.notified()
    }

    /// Shows stored entries to the readers, and how the log ended, if it did.
    pub(crate) fn publish(&self, batch: Option<Batch>, end: Option<LogEnd>) {
        self.reveal(batch, end, true);
        self.stored.notify_waiters();
    }

    /// Shows entries to the readers before the store has them.
    pub(crate) fn show(&self, batch: Batch) {
        self.reveal(Some(batch), None, false);
    }

    /// Notes that entries shown earlier are now stored.
    pub(crate) fn note_stored(&self, batch: &Batch) {
        self.state.lock().batches.note_stored(batch.end());
        self.stored.notify_waiters();
    }

    fn reveal(&self, batch: Option<Batch>, end: Option<LogEnd>, is_stored: bool) {
        let wakers = {
            let mut state = self.state.lock();
            if let Some(batch) = batch.filter(|batch| batch.count > 0) {
                let next = batch.end();
                state.batches.push(batch);
                if is_stored {
                    state.batches.note_stored(next);
                }
            }
            let has_ended = end.is_some();
            state.end = state.end.take().or(end);
            state.readers.take_wakers(has_ended)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// How the log ended, if it did.
    pub(crate) fn end(&self) -> Option<LogEnd> {
        self.state.lock().end.clone()
    }

    /// The entries from `from` on; if there are none, the waker is kept.
    pub(super) fn read(&self, key: usize, from: u64, waker: &Waker) -> TailRead {
        let mut state = self.state.lock();
        if from < state.batches.next() {
            // The reader may not look again for a long time, depending on its client.
            state.readers.end_rest(key);
            let is_finished = matches!(state.end, Some(LogEnd::Finished(_)));
            return state.batches.read(from, is_finished);
        }
        match state.end {
            Some(LogEnd::Finished(_)) => TailRead::End,
            Some(LogEnd::Lost) => TailRead::Lost,
            None => {
                state.readers.wait(key, waker, false);
                TailRead::Nothing
            }
        }
    }

    /// Keeps a resting reader's waker for the end; returns whether the log has already ended.
    pub(crate) fn rest(&self, key: usize, waker: &Waker) -> bool {
        let mut state = self.state.lock();
        if state.end.is_none() {
            state.readers.wait(key, waker, true);
        }
        state.end.is_some()
    }

    /// Whether there are readers, all of them resting.
    pub(super) fn is_resting(&self) -> bool {
        self.state.lock().readers.are_resting()
    }

    /// Registers a reader, to be removed by [`LiveRun::remove_reader`](super::LiveRun::remove_reader).
    pub(crate) fn add_reader(&self) -> usize {
        self.state.lock().readers.add()
    }

    /// Removes a reader; returns whether it was the last.
    pub(super) fn remove_reader(&self, key: usize) -> bool {
        let mut state = self.state.lock();
        state.readers.remove(key);
        state.readers.is_empty()
    }

    pub(crate) fn has_readers(&self) -> bool {
        !self.state.lock().readers.is_empty()
    }

    /// Notes that there is no reader.
    pub(crate) fn note_abandoned(&self) {
        self.abandoned.notify_one();
    }

    /// Resolves when the last reader has left.
    pub(crate) async fn abandoned(&self) {
        self.abandoned.notified().await;
    }
}
