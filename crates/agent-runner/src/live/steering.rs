//! Whether a run was handed messages while it is in progress.

use std::sync::atomic::{AtomicBool, Ordering};

/// What is known of the messages that the store keeps for a run. Both flags may be set without need, which costs a look
/// into the store.
#[derive(Debug)]
pub(crate) struct Steering {
    /// Whether messages may have arrived.
    has_arrived: AtomicBool,
    /// Whether the log may have messages that the store still keeps for the run.
    has_taken: AtomicBool,
}

impl Steering {
    pub(super) fn new(has_taken: bool) -> Self {
        Steering { has_arrived: AtomicBool::new(false), has_taken: AtomicBool::new(has_taken) }
    }

    /// Notes that messages may have arrived.
    pub(crate) fn note_arrived(&self) {
        self.has_arrived.store(true, Ordering::SeqCst);
    }

    /// Whether messages may have arrived since the last call.
    pub(crate) fn take_arrived(&self) -> bool {
        self.has_arrived.swap(false, Ordering::SeqCst)
    }

    /// Notes that messages are about to be written to the log.
    pub(crate) fn note_taken(&self) {
        self.has_taken.store(true, Ordering::SeqCst);
    }

    /// Notes that the store no longer keeps what the log has.
    pub(crate) fn note_dropped(&self) {
        self.has_taken.store(false, Ordering::SeqCst);
    }

    /// Whether the log may have messages that the store still keeps for the run.
    pub(crate) fn may_have_taken(&self) -> bool {
        self.has_taken.load(Ordering::SeqCst)
    }
}
