//! Retries calls while a store is unavailable.

use std::time::Duration;

use agent_schemas::IdSource;
use tokio::time::{Instant, sleep};

use crate::Result;

/// The delays between attempts. Each is twice as long as the previous one, up to a limit.
///
/// [`Backoff::default`] is meant for stores: from 50 milliseconds to one second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    next: Duration,
    longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff::new(Duration::from_millis(50), Duration::from_secs(1))
    }
}

impl Backoff {
    /// Delays from `first` to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        let first = first.min(longest);
        Backoff { first, next: first, longest }
    }

    /// The delay before the next attempt.
    pub fn next_delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = delay.saturating_mul(2).min(self.longest);
        delay
    }

    /// The same, shortened by a random factor from 0.5 to 1, so that clients rejected together do not all return
    /// at once.
    pub fn next_delay_with_jitter(&mut self, ids: &dyn IdSource) -> Duration {
        let byte = ids.random().get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        self.next_delay().mul_f64(0.5 + f64::from(byte.unwrap_or(0)) / 510.0)
    }

    /// Waits for the next delay.
    ///
    /// # Cancellation
    /// Dropping the future ends the wait; the delay counts as used.
    pub async fn wait(&mut self) {
        sleep(self.next_delay()).await;
    }

    /// Resets to the first delay after a successful attempt.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

/// Retries a call while the store is unavailable, for at most `limit`.
///
/// # Errors
/// The error of the last call: the first that is not [retryable](crate::Error::is_retryable), or the last one before
/// `limit`.
///
/// # Cancellation
/// Dropping the future drops the call in flight and makes no further call.
pub async fn retry_unavailable<T, F>(limit: Duration, mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let began = Instant::now();
    let mut backoff = Backoff::default();
    loop {
        match call().await {
            Err(error) if error.is_retryable() && began.elapsed() < limit => {
                tracing::debug!(error = %error, "a store is unavailable; retrying the call");
                backoff.wait().await;
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::CountingIds;
    use crate::{Error, ErrorKind};

    #[test]
    fn backoff__delays__double_up_to_the_limit() {
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(35));
        let mut delays = || [(); 4].map(|()| backoff.next_delay().as_millis());
        assert_eq!(delays(), [10, 20, 35, 35]);
        backoff.reset();
        assert_eq!(backoff.next_delay(), Duration::from_millis(10));
    }

    #[test]
    fn backoff__first_delay__respects_the_limit() {
        let mut backoff = Backoff::new(Duration::from_secs(9), Duration::from_secs(3));
        assert_eq!(backoff.next_delay(), Duration::from_secs(3));
    }

    #[test]
    fn jitter__shortens_by_half_at_most() {
        let ids = CountingIds::default();
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1));
        for _ in 0..10 {
            let delay = backoff.next_delay_with_jitter(&ids);
            assert!((Duration::from_millis(500)..=Duration::from_secs(1)).contains(&delay), "{delay:?}");
        }
    }

    /// Counts the attempts of a call that always fails like this, and the time that they take.
    async fn attempts(kind: ErrorKind, limit: Duration) -> (u32, Duration) {
        let began = Instant::now();
        let mut attempts = 0;
        let failed = retry_unavailable(limit, || {
            attempts += 1;
            async move { Err::<(), _>(Error::new(kind, "test", "failed")) }
        });
        assert_eq!(failed.await.expect_err("it always fails").kind(), kind);
        (attempts, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn retry_unavailable__only_unavailable__is_retried() {
        assert_eq!(attempts(ErrorKind::Conflict, Duration::MAX).await, (1, Duration::ZERO));
        assert_eq!(attempts(ErrorKind::Unavailable, Duration::ZERO).await, (1, Duration::ZERO));
        let (count, time) = attempts(ErrorKind::Unavailable, Duration::from_millis(300)).await;
        // After 50, 100 and 200 ms.
        assert_eq!(count, 4);
        assert!((Duration::from_millis(350)..Duration::from_millis(400)).contains(&time), "{time:?}");
    }
}
