//! Waiting for a store that is away.

use std::time::Duration;

use agent_services::Result;
use tokio::time::{Instant, sleep};

/// The longest pause before a store that is away is asked again.
pub(crate) const LONGEST: Duration = Duration::from_secs(1);

/// Pauses between questions to a store that is away, each twice as long as the one before.
#[derive(Debug)]
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Pause(Duration::from_millis(50))
    }
}

impl Pause {
    /// Waits for this pause; the next one is longer.
    pub(crate) async fn wait(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}

/// Repeats a call while the store is away, but not for longer than this.
pub(crate) async fn while_away<T, F>(longest: Duration, mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let began = Instant::now();
    let mut pause = Pause::default();
    loop {
        match call().await {
            Err(error) if error.is_retryable() && began.elapsed() < longest => {
                tracing::debug!(error = %error, "a store is away; an agent waits for it");
                pause.wait().await;
            }
            done => return done,
        }
    }
}
