//! Sessions whose runs a script wants to have cancelled.

use agent_runner::Runner;
use agent_workers::StopSession;
use tokio::sync::mpsc;

/// How many sessions may wait.
const WAITING: usize = 64;

/// The sessions whose runs scripts want to have cancelled, as they ask for it.
pub(crate) struct Stops {
    sender: mpsc::Sender<StopSession>,
    sessions: mpsc::Receiver<StopSession>,
}

impl Default for Stops {
    fn default() -> Self {
        let (sender, sessions) = mpsc::channel(WAITING);
        Stops { sender, sessions }
    }
}

impl Stops {
    pub(super) fn sender(&self) -> mpsc::Sender<StopSession> {
        self.sender.clone()
    }

    /// Cancels the runs until all workers have ended.
    pub(crate) async fn carry_out(self, runner: Runner) {
        let Stops { sender, mut sessions } = self;
        drop(sender);
        while let Some(StopSession { user_id, session_id, .. }) = sessions.recv().await {
            if let Err(error) = runner.cancel_session(&user_id, &session_id).await {
                tracing::warn!(error = %error, "the runs of a session could not be cancelled as the script wanted");
            }
        }
    }
}
