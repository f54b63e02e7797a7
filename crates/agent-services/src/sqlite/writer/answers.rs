//! Replies to the callers of jobs.

use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Sends one reply.
pub(super) type Answer = Box<dyn FnOnce() + Send>;

/// Replies that are sent when this value is dropped, wherever that happens.
pub(super) struct Answers(Vec<Answer>);

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|answer| answer());
    }
}

/// Sends many replies from inside a runtime: from outside, each would wake one of its threads separately,
/// which costs more than a small job.
pub(super) struct Messenger(mpsc::UnboundedSender<Answers>);

impl Messenger {
    pub(super) fn spawn(runtime: &Handle) -> Self {
        let (sender, mut answers) = mpsc::unbounded_channel();
        runtime.spawn(async move { while answers.recv().await.is_some() {} });
        Messenger(sender)
    }

    /// Without a runtime; sends all replies at once.
    #[cfg(test)]
    pub(super) fn here() -> Self {
        Messenger(mpsc::unbounded_channel().0)
    }

    /// Sends replies. If the runtime is gone, they are sent from here.
    pub(super) fn tell(&self, answers: impl IntoIterator<Item = Answer>) {
        let answers = Answers(answers.into_iter().collect());
        if answers.0.len() > 1 {
            // Replies that cannot be handed over are dropped, and so sent.
            let _ = self.0.send(answers);
        }
    }
}
