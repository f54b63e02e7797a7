//! Whether the server accepts new runs, and if not, why.

use std::time::Duration;

use agent_runner::Services;
use agent_services::{ErrorKind, WriteFault};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long a result is reused, so that frequent probes cost little.
const FRESH: Duration = Duration::from_millis(500);

/// How long a probe waits for the stores, because its sender does not wait forever.
const LIMIT: Duration = Duration::from_secs(2);

/// Why the server does not accept new runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    Starting,
    ShuttingDown,
    /// A store has no room left.
    StoreFull,
    /// A store accepts no writes.
    StoreReadOnly,
    /// A store does not answer.
    StoreUnavailable,
    /// A store failed in another way, such as a disk that cannot be read.
    StoreFailed,
}

impl Reason {
    fn of(error: &agent_services::Error) -> Self {
        match (error.write_fault(), error.kind()) {
            (Some(WriteFault::Full), _) => Reason::StoreFull,
            (Some(WriteFault::ReadOnly), _) => Reason::StoreReadOnly,
            (_, ErrorKind::Unavailable) => Reason::StoreUnavailable,
            _ => Reason::StoreFailed,
        }
    }
}

/// The last result of the stores' health checks.
#[derive(Debug, Default)]
pub(crate) struct StoreHealth(Mutex<Option<Answer>>);

#[derive(Clone, Copy, Debug)]
struct Answer {
    time: Instant,
    result: Result<(), Reason>,
}

impl StoreHealth {
    /// Checks the stores, unless that was done a moment ago. Concurrent calls share one check. Logs when the
    /// result changes.
    ///
    /// # Errors
    /// The reason why the first failing store is not ready.
    pub(crate) async fn check(&self, services: &Services) -> Result<(), Reason> {
        let mut last = self.0.lock().await;
        if let Some(answer) = last.filter(|answer| answer.time.elapsed() < FRESH) {
            return answer.result;
        }
        let before = last.map_or(Ok(()), |answer| answer.result);
        let result = match timeout(LIMIT, services.health()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let reason = Reason::of(&error);
                if before != Err(reason) {
                    let cause = std::error::Error::source(&error);
                    tracing::error!(error = %error, cause = ?cause, reason = ?reason, "not ready: a store failed its health check");
                }
                Err(reason)
            }
            Err(_) => {
                if before != Err(Reason::StoreUnavailable) {
                    tracing::error!("not ready: a store did not answer within {} s", LIMIT.as_secs());
                }
                Err(Reason::StoreUnavailable)
            }
        };
        if before.is_err() && result.is_ok() {
            tracing::info!("ready again: all stores passed their health checks");
        }
        *last = Some(Answer { time: Instant::now(), result });
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason__store_error__is_its_class() {
        let check = |kind, fault: Option<WriteFault>, reason| {
            let error = agent_services::Error::new(kind, "try", "no").with_write_fault(fault);
            assert_eq!(Reason::of(&error), reason);
        };
        check(ErrorKind::Unavailable, Some(WriteFault::Full), Reason::StoreFull);
        check(ErrorKind::Unexpected, Some(WriteFault::ReadOnly), Reason::StoreReadOnly);
        check(ErrorKind::Unavailable, None, Reason::StoreUnavailable);
        check(ErrorKind::Unexpected, None, Reason::StoreFailed);
    }

    #[tokio::test(start_paused = true)]
    async fn check__asked_again_at_once__repeats_the_answer_for_a_moment() {
        let (health, services) = (StoreHealth::default(), Services::in_memory());
        assert_eq!(health.check(&services).await, Ok(()));
        services.stop().await.expect("stopped");
        assert_eq!(health.check(&services).await, Ok(()));
        tokio::time::advance(FRESH).await;
        assert_eq!(health.check(&services).await, Err(Reason::StoreUnavailable));
        services.start().await.expect("started");
        tokio::time::advance(FRESH).await;
        assert_eq!(health.check(&services).await, Ok(()));
    }
}
