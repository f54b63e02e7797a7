//! The queue of a session.

use std::collections::VecDeque;

use agent_schemas::RunId;

/// The runs of one session that have not ended.
#[derive(Debug, Default)]
pub(super) struct SessionQueue {
    /// The run in progress.
    pub(super) active: Option<RunId>,
    /// The inputs handed to it.
    pub(super) steered: Vec<RunId>,
    /// The waiting runs.
    pub(super) queue: VecDeque<RunId>,
}

impl SessionQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.active.is_none() && self.steered.is_empty() && self.queue.is_empty()
    }

    /// The number of waiting runs.
    pub(super) fn waiting(&self) -> usize {
        self.steered.len() + self.queue.len()
    }

    /// Whether this run may start because no run is before it.
    pub(super) fn is_head(&self, id: &RunId) -> bool {
        self.active.is_none() && self.queue.front() == Some(id)
    }

    /// Ends the turn of a run, if it has one.
    pub(super) fn release(&mut self, id: &RunId) {
        if self.active.as_ref() == Some(id) {
            self.active = None;
            for steered in self.steered.drain(..).rev() {
                self.queue.push_front(steered);
            }
        }
    }

    /// Removes a waiting run.
    pub(super) fn remove(&mut self, id: &RunId) {
        self.steered.retain(|other| other != id);
        self.queue.retain(|other| other != id);
    }
}
