//! Writes a run's log: what the agent has written and the run's task has not taken yet.

use std::task::Waker;

use agent_schemas::Error;
use agent_services::run::Batch;
use parking_lot::Mutex;

use crate::assemble::{Assembler, ClosedMessage};

/// The maximum size of what gathers while all readers rest.
const GATHERED_BYTES: usize = 16 * 1024;

/// The writing end of a log. Code that needs both locks takes this one before the tail's.
#[derive(Debug)]
pub(crate) struct LogWriter {
    /// The maximum size of the log.
    max_bytes: usize,
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
}

impl LogWriter {
    pub(crate) fn new(assembler: Assembler, max_bytes: usize) -> Self {
        let state = State { assembler, driver: None, is_sealed: false, failure: None };
        LogWriter { max_bytes, state: Mutex::new(state) }
    }

    /// Lets the agent write; `None` once the log is closed.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&mut Assembler) -> T) -> Option<T> {
        let (result, driver) = {
            let mut state = self.state.lock();
            if state.is_sealed {
                return None;
            }
            let result = write(&mut state.assembler);
            if state.assembler.bytes() > self.max_bytes {
                state.is_sealed = true;
                state.failure = Some(Error::OutputLimitExceeded { limit: self.max_bytes });
            }
            (result, state.driver.take())
        };
        if let Some(driver) = driver {
            driver.wake();
        }
        Some(result)
    }

    /// Notes that the task is about to check for output itself, so that writes need not wake it.
    pub(crate) fn begin_poll(&self) {
        self.state.lock().driver = None;
    }

    /// Takes the written entries, or keeps the waker until there are some. Small batches are left to gather
    /// while `is_resting` is true. It is called under the lock, so that a reader that stops resting later finds the
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

    /// Wakes the task if it has left entries to gather.
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

    /// The messages closed so far.
    pub(crate) fn closed_messages(&self) -> Vec<ClosedMessage> {
        self.state.lock().assembler.closed_messages().to_vec()
    }
}
