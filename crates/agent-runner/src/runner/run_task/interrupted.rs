//! Runs whose agent was interrupted, though this process lives.

use agent_schemas::Error;
use agent_services::run::Grant;

use super::{RunTask, Task};

/// A run that is interrupted this often fails, because its agent may be what ends the process.
const MAX_INTERRUPTIONS: usize = 3;

impl RunTask {
    /// Whether a run that was interrupted may be taken over.
    pub(super) fn may_be_continued(&self) -> bool {
        let Task::Work(agent) = &self.task else { return false };
        let record = &self.live.record;
        record.options.parent.is_none()
            && record.epochs.len() + 1 < MAX_INTERRUPTIONS
            && agent.recovery().allows(self.live.log.has_whole_messages())
    }

    /// Stores what the agent has written, and lets the run be taken over like one of a process that died.
    pub(super) async fn step_down(&self, error: &Error) -> Option<Grant> {
        let id = &self.live.record.id;
        tracing::warn!(run.id = %id, error = %error, "a run was interrupted, and is continued");
        let written = self.live.log.seal(|_| ());
        if let Err(error) = self.append_until_stored(self.unstored(&written)).await {
            return self.lose(&error, "could not write a run's log");
        }
        self.live.lose();
        self.runner.recover_later(id.clone());
        None
    }
}
