//! Tracks whether input was handed to a run in progress.

use std::sync::atomic::{AtomicBool, Ordering};

/// What is known about the input that the store keeps for a run. A flag that is set unnecessarily costs one call to
/// the store.
#[derive(Debug)]
pub(crate) struct Steering {
    /// Whether input may have arrived.
    has_arrived: AtomicBool,
    /// Whether the log may have input that the store still keeps for the run.
    has_taken: AtomicBool,
}

impl Steering {
    pub(super) fn new(has_taken: bool) -> Self {
        Steering { has_arrived: AtomicBool::new(false), has_taken: AtomicBool::new(has_taken) }
    }

    /// Notes that input may have arrived.
    pub(crate) fn note_arrived(&self) {
        self.has_arrived.store(true, Ordering::SeqCst);
    }

    /// Whether input may have arrived since the last call.
    pub(crate) fn take_arrived(&self) -> bool {
        self.has_arrived.swap(false, Ordering::SeqCst)
    }

    /// Notes that input is about to be written to the log.
    pub(crate) fn note_taken(&self) {
        self.has_taken.store(true, Ordering::SeqCst);
    }

    /// Notes that the store no longer keeps input that the log has.
    pub(crate) fn note_dropped(&self) {
        self.has_taken.store(false, Ordering::SeqCst);
    }

    /// Whether the log may have input that the store still keeps for the run.
    pub(crate) fn may_have_taken(&self) -> bool {
        self.has_taken.load(Ordering::SeqCst)
    }
}
