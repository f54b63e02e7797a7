//! The notifications after a change.

use std::sync::Arc;

use agent_schemas::RunId;

use crate::run::OwnerId;
use crate::run::wakeups::Wakeups;

/// Notifies the waiting tasks when it is dropped. The writer drops it once the job that holds it is committed, even if its
/// caller no longer waits. It also notifies after a failed commit, which only makes the tasks look unnecessarily.
pub(in crate::sqlite) struct Notifications {
    wakeups: Arc<Wakeups>,
    runs: Vec<RunId>,
    signals: Vec<(OwnerId, RunId)>,
}

impl Notifications {
    pub(in crate::sqlite) fn new(wakeups: Arc<Wakeups>) -> Self {
        Notifications { wakeups, runs: Vec::new(), signals: Vec::new() }
    }

    /// Wakes the tasks that wait for a run.
    pub(in crate::sqlite) fn wake(&mut self, run: RunId) {
        self.runs.push(run);
    }

    /// Signals a run's owner that the run has a request.
    pub(super) fn signal(&mut self, owner: Option<&OwnerId>, run: &RunId) {
        if let Some(owner) = owner {
            self.signals.push((owner.clone(), run.clone()));
        }
    }

    /// Drops the notifications of an undone job.
    pub(in crate::sqlite) fn clear(&mut self) {
        self.runs.clear();
        self.signals.clear();
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        for (owner, run) in &self.signals {
            self.wakeups.signal(owner, run);
        }
        for run in &self.runs {
            self.wakeups.wake(run);
        }
    }
}
