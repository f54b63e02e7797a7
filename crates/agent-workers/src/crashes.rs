//! How soon a worker that has ended is replaced.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::PATIENCE;
use crate::timing::Timing;

/// After so many crashes in a minute, new runs do not wait for the next worker.
const MANY: usize = 5;

/// The crashes of one worker and those that replaced it.
#[derive(Debug)]
pub(crate) struct Crashes {
    timing: Timing,
    pause: Duration,
    recent: VecDeque<Instant>,
}

/// What follows a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restart {
    /// How long to wait before the next start.
    pub(crate) pause: Duration,
    /// Whether it is useless to wait for the next worker.
    pub(crate) is_hopeless: bool,
}

impl Crashes {
    pub(crate) fn new(timing: &Timing) -> Self {
        Crashes { timing: timing.clone(), pause: timing.first_pause, recent: VecDeque::new() }
    }

    /// Notes that a worker has ended after this time; one that could not be started has lived for no time.
    pub(crate) fn note(&mut self, lived: Duration) -> Restart {
        if lived >= self.timing.series {
            self.pause = self.timing.first_pause;
        }
        let (now, pause) = (Instant::now(), self.pause);
        self.pause = (pause * 2).min(self.timing.longest_pause);
        self.recent.push_back(now);
        if self.recent.len() > MANY {
            self.recent.pop_front();
        }
        let are_many = self.recent.len() == MANY
            && self.recent.front().is_some_and(|first| now - *first < self.timing.series);
        Restart { pause, is_hopeless: are_many || pause > PATIENCE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn crashes__in_a_series__pause_longer_and_become_hopeless() {
        let mut crashes = Crashes::new(&Timing::default());
        let mut found = Vec::new();
        for _ in 0..11 {
            let restart = crashes.note(Duration::ZERO);
            found.push((restart.pause.as_millis(), restart.is_hopeless));
            tokio::time::advance(restart.pause).await;
        }
        let pauses = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000];
        let expected: Vec<_> =
            pauses.into_iter().enumerate().map(|(number, pause)| (pause, number >= 4)).collect();
        assert_eq!(found, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn crashes__now_and_then__pause_briefly() {
        let mut crashes = Crashes::new(&Timing::default());
        for _ in 0..10 {
            let lived = Duration::from_secs(61);
            tokio::time::advance(lived).await;
            let expected = Restart { pause: Duration::from_millis(100), is_hopeless: false };
            assert_eq!(crashes.note(lived), expected);
        }
    }
}
