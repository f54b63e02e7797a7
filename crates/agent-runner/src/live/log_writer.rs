//! Writes a run's log: the output of the agent that the run's task has not taken yet.

use std::task::Waker;

use agent_schemas::Error;
use agent_services::run::Batch;
use parking_lot::Mutex;

use crate::Reservation;
use crate::assemble::{Assembler, ClosedMessage};

/// The maximum size of the entries that accumulate while all readers rest.
const GATHERED_BYTES: usize = 16 * 1024;

/// How much more a run may keep before its reservation is enlarged.
const KEPT_STEP: usize = 64 * 1024;

/// The writing end of a log. Code that needs both locks takes this one before the tail's.
#[derive(Debug)]
pub(crate) struct LogWriter {
    /// The maximum size of the log.
    max_bytes: usize,
    /// How many bytes all runs may keep in memory.
    max_memory: usize,
    /// Whether the log itself stays in memory.
    is_in_memory: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    assembler: Assembler,
    /// The run's task, while it waits for output from outside its own poll.
    driver: Option<Waker>,
    /// Set once the log has ended or grown too large; later writes are discarded.
    is_sealed: bool,
    failure: Option<Error>,
    /// The memory of the run's request, and the reservation for it and for the messages.
    request_bytes: usize,
    memory: Reservation,
}

impl LogWriter {
    /// A log of at most this many bytes; `memory` is the reservation for the run's request.
    pub(crate) fn new(assembler: Assembler, max_bytes: usize, memory: Reservation) -> Self {
        let (max_memory, request_bytes) = (memory.budget().limit(), memory.bytes());
        let state = State { assembler, driver: None, is_sealed: false, failure: None, request_bytes, memory };
        LogWriter { max_bytes, max_memory, is_in_memory: false, state: Mutex::new(state) }
    }

    /// The same for a log that is kept in memory, whose size counts too.
    #[must_use]
    pub(crate) fn in_memory(mut self, is_in_memory: bool) -> Self {
        self.is_in_memory = is_in_memory;
        self
    }

    /// Lets the agent write; `None` once the log is closed.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&mut Assembler) -> T) -> Option<T> {
        let (result, driver) = {
            let mut state = self.state.lock();
            if state.is_sealed {
                return None;
            }
            let result = write(&mut state.assembler);
            let failure = if state.assembler.bytes() > self.max_bytes {
                Some(Error::OutputLimitExceeded { limit: self.max_bytes })
            } else if !state.reserve_kept(self.is_in_memory) {
                Some(Error::MemoryLimitExceeded { limit: self.max_memory })
            } else {
                None
            };
            if failure.is_some() {
                state.is_sealed = true;
                state.failure = failure;
            }
            (result, state.driver.take())
        };
        if let Some(driver) = driver {
            driver.wake();
        }
        Some(result)
    }

    /// Records that the task is about to check for output itself, so that writes need not wake it.
    pub(crate) fn begin_poll(&self) {
        self.state.lock().driver = None;
    }

    /// Takes the written entries, or keeps the waker until there are some. Small batches accumulate while
    /// `is_resting` is true. It is called under the lock, so that a reader that stops resting later finds the
    /// waker.
    ///
    /// # Errors
    /// Why the log was closed before its end.
    pub(super) fn take_pending(
        &self,
        driver: &Waker,
        is_resting: impl FnOnce() -> bool,
    ) -> Result<Option<Batch>, Error> {
        let mut state = self.state.lock();
        let is_resting = is_resting();
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        let gathers = is_resting && state.assembler.pending_bytes() < GATHERED_BYTES;
        if state.assembler.has_pending() && !gathers {
            return Ok(Some(state.assembler.take()));
        }
        state.driver = Some(driver.clone());
        Ok(None)
    }

    /// Wakes the task if it has let entries accumulate.
    pub(super) fn ask_for_pending(&self) {
        let driver = {
            let mut state = self.state.lock();
            if state.assembler.has_pending() { state.driver.take() } else { None }
        };
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Takes the written entries.
    pub(crate) fn take(&self) -> Batch {
        self.state.lock().assembler.take()
    }

    /// Why the log was closed before its end, if it was.
    pub(crate) fn take_failure(&self) -> Option<Error> {
        self.state.lock().failure.take()
    }

    /// The number of bytes written and not taken.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.state.lock().assembler.pending_bytes()
    }

    /// The number of the next entry.
    pub(super) fn next(&self) -> u64 {
        self.state.lock().assembler.next()
    }

    /// Discards the agent's output from now on, writes the closing entries, and takes everything written.
    pub(crate) fn seal(&self, write: impl FnOnce(&mut Assembler)) -> Batch {
        let mut state = self.state.lock();
        state.is_sealed = true;
        write(&mut state.assembler);
        state.assembler.take()
    }

    /// Returns whether the agent's output is discarded.
    pub(crate) fn is_sealed(&self) -> bool {
        self.state.lock().is_sealed
    }

    /// An empty reservation in the same budget.
    pub(crate) fn reservation(&self) -> Reservation {
        self.state.lock().memory.budget().reservation()
    }

    /// Whether a message is complete.
    pub(crate) fn has_whole_messages(&self) -> bool {
        !self.state.lock().assembler.whole_messages().is_empty()
    }

    /// The messages that were closed so far.
    pub(crate) fn closed_messages(&self) -> Vec<ClosedMessage> {
        self.state.lock().assembler.closed_messages().to_vec()
    }
}

impl State {
    /// Reserves memory for the data that the run keeps; `false` if none is left.
    fn reserve_kept(&mut self, with_log: bool) -> bool {
        let log = if with_log { self.assembler.bytes() } else { 0 };
        let kept = self.request_bytes + self.assembler.kept_bytes() + log;
        let missing = kept.saturating_sub(self.memory.bytes());
        missing < KEPT_STEP || self.memory.grow(missing)
    }
}
