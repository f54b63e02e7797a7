//! Waiting for a store that is away.

use std::time::Duration;

use agent_services::Result;
use tokio::time::{Instant, sleep};

/// How long to wait before asking again, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Repeats a call while the store is away, but not for longer than this.
pub(crate) async fn while_away<T, F>(longest: Duration, mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let began = Instant::now();
    let mut pause = RETRY.0;
    loop {
        match call().await {
            Err(error) if error.is_retryable() && began.elapsed() < longest => {
                tracing::debug!(error = %error, "a store is away; an agent waits for it");
                sleep(pause).await;
                pause = (pause * 2).min(RETRY.1);
            }
            done => return done,
        }
    }
}
