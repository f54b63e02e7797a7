//! What those who wait learn of a change.

use std::sync::Arc;

use agent_schemas::RunId;

use super::head::Head;
use crate::run::OwnerId;
use crate::run::wakeups::Wakeups;

/// Tells those who wait when it is dropped, which the writer does once the work that has it is committed; whether
/// somebody still waits for the answer does not matter. After a failed commit it tells too, which only costs a look.
pub(in crate::sqlite) struct News {
    wakeups: Arc<Wakeups>,
    runs: Vec<RunId>,
    signals: Vec<(OwnerId, RunId)>,
}

impl News {
    pub(in crate::sqlite) fn new(wakeups: Arc<Wakeups>) -> Self {
        News { wakeups, runs: Vec::new(), signals: Vec::new() }
    }

    /// Wakes those who wait for a run.
    pub(in crate::sqlite) fn wake(&mut self, run: RunId) {
        self.runs.push(run);
    }

    /// Tells who executes a run that something was asked of it.
    pub(super) fn signal(&mut self, run: &Head) {
        if let Some(owner) = &run.owner {
            self.signals.push((owner.clone(), run.id.clone()));
        }
    }

    /// Forgets what was undone.
    pub(in crate::sqlite) fn clear(&mut self) {
        self.runs.clear();
        self.signals.clear();
    }
}

impl Drop for News {
    fn drop(&mut self) {
        for (owner, run) in &self.signals {
            self.wakeups.signal(owner, run);
        }
        for run in &self.runs {
            self.wakeups.wake(run);
        }
    }
}
