//! How those learn what became of their work who wait for it.

use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Tells one of them.
pub(super) type Answer = Box<dyn FnOnce() + Send>;

/// Answers that are given when this is dropped, wherever that happens.
pub(super) struct Answers(Vec<Answer>);

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|answer| answer());
    }
}

/// Gives the answers to many at once from inside a runtime: from outside, each would wake one of its threads by itself,
/// and that costs more than the work of a small job.
pub(super) struct Messenger(mpsc::UnboundedSender<Answers>);

impl Messenger {
    pub(super) fn spawn(runtime: &Handle) -> Self {
        let (sender, mut answers) = mpsc::unbounded_channel();
        runtime.spawn(async move { while answers.recv().await.is_some() {} });
        Messenger(sender)
    }

    /// One without a runtime, which gives all answers at once.
    #[cfg(test)]
    pub(super) fn here() -> Self {
        Messenger(mpsc::unbounded_channel().0)
    }

    /// Gives answers. Where the runtime is gone, they are given here.
    pub(super) fn tell(&self, answers: impl IntoIterator<Item = Answer>) {
        let answers = Answers(answers.into_iter().collect());
        if answers.0.len() > 1 {
            // What cannot be sent is dropped, and so given.
            let _ = self.0.send(answers);
        }
    }
}
