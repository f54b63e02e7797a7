//! An agent that repeats its input.

use std::time::Duration;

use agent_schemas::{Error, Json};
use async_trait::async_trait;
use tokio::time::{Instant, sleep_until};

use crate::{Agent, AgentError, Recovery, RunHandle};

/// Streams the last user text back, word by word.
///
/// The extra request field `delay_ms` sets the delay before each word except the first; its default is the delay of
/// the constructor. Without a delay all words are written at once, unless [`Echo::yielding`] makes the agent yield
/// after each.
#[derive(Clone, Debug)]
pub struct Echo {
    delay: Duration,
    /// After how many words it yields to other tasks.
    stretch: usize,
}

/// The maximum `delay_ms`.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// After how many words an echo that never waits yields, so that its output is stored before all of it is written.
const STRETCH: usize = 1024;

impl Default for Echo {
    fn default() -> Self {
        Echo::new(Duration::ZERO)
    }
}

impl Echo {
    /// An echo that waits this long before each word except the first.
    pub fn new(delay: Duration) -> Self {
        Echo { delay, stretch: STRETCH }
    }

    /// Yields to other tasks after each word, like an agent that waits for its model.
    #[must_use]
    pub fn yielding(mut self) -> Self {
        self.stretch = 1;
        self
    }

    fn delay(&self, run: &RunHandle) -> Result<Duration, Error> {
        let Some(asked) = run.request().extra_member("delay_ms") else { return Ok(self.delay) };
        let delay = match asked {
            Json::Null => return Ok(self.delay),
            other => other.as_i64().and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis),
        };
        delay.filter(|delay| *delay <= MAX_DELAY).ok_or_else(|| Error::InvalidParameter {
            message: format!(
                "delay_ms should be a whole number from 0 to {}, but is {asked}",
                MAX_DELAY.as_millis()
            ),
        })
    }
}

#[async_trait]
impl Agent for Echo {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        let delay = self.delay(&run)?;
        let input = run.request().last_user_text();
        let message = run.message();
        let mut text = message.text();
        let mut due = Instant::now();
        for (position, word) in input.split_inclusive(' ').enumerate() {
            if position > 0 && !delay.is_zero() {
                due += delay;
                tokio::select! {
                    biased;
                    () = run.cancelled() => return Ok(()),
                    () = sleep_until(due) => {}
                }
            } else if position > 0 && position % self.stretch == 0 {
                tokio::task::yield_now().await;
                if run.is_cancelled() {
                    return Ok(());
                }
            }
            text.delta(word);
        }
        text.complete();
        message.complete();
        Ok(())
    }

    fn recovery(&self) -> Recovery {
        Recovery::StartOver
    }
}
