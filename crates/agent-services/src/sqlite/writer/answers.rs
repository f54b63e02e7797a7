//! How those learn what became of their work who wait for it.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::Job;

/// What became of a group of jobs. It is told when this is dropped, wherever that happens.
pub(super) struct Answers {
    pub(super) group: Vec<Box<dyn Job>>,
    pub(super) result: Result<(), Arc<rusqlite::Error>>,
}

impl Drop for Answers {
    fn drop(&mut self) {
        for job in self.group.drain(..) {
            job.answer(self.result.clone());
        }
    }
}

/// Gives the answers to many at once from inside a runtime: from outside, each would wake one of its threads by itself,
/// and that costs more than the work of a small job.
pub(super) struct Messenger(pub(super) mpsc::UnboundedSender<Answers>);

impl Messenger {
    pub(super) fn spawn(runtime: &Handle) -> Self {
        let (sender, mut answers) = mpsc::unbounded_channel();
        runtime.spawn(async move { while answers.recv().await.is_some() {} });
        Messenger(sender)
    }

    /// Tells all of them. Where the runtime is gone, they are told here.
    pub(super) fn tell(&self, answers: Answers) {
        if answers.group.len() > 1 {
            // What cannot be sent is dropped, and so told.
            let _ = self.0.send(answers);
        }
    }
}
