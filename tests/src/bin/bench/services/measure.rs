//! Measures how long an operation takes alone, and how many per second concurrent tasks do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use super::operation::Call;
use crate::report::percentile;

/// The number of concurrent tasks.
const TASKS: usize = 64;
/// From this median on, concurrent tasks do an operation in one round only, because it varies little.
const SLOW: Duration = Duration::from_millis(20);
/// From this median on, concurrent tasks do not do it at all, because that would take a minute.
const VERY_SLOW: Duration = Duration::from_millis(200);

/// How long is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// For one operation on stores of one size, alone and again together.
    time: Duration,
    /// The maximum number of calls of an operation that stores something, so that sizes hardly change.
    writes: usize,
    reads: usize,
}

/// What was measured of one operation on stores of one size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) latencies: Vec<Duration>,
    /// Operations per second of 64 tasks, one value per round.
    rates: Vec<f64>,
    calls: usize,
}

impl Effort {
    pub(crate) fn full() -> Self {
        Effort { rounds: 3, time: Duration::from_millis(300), writes: 2000, reads: 20_000 }
    }

    pub(crate) fn quick() -> Self {
        Effort { rounds: 1, time: Duration::from_millis(50), writes: 200, reads: 1000 }
    }
}

impl Figures {
    pub(crate) fn p50(&self) -> Duration {
        percentile(&self.latencies, 0.5)
    }

    pub(crate) fn p99(&self) -> Duration {
        percentile(&self.latencies, 0.99)
    }

    /// Whether another round of many tasks would take too long.
    pub(crate) fn is_enough(&self) -> bool {
        self.p50() > if self.rates.is_empty() { VERY_SLOW } else { SLOW }
    }

    /// The median of the rounds.
    pub(crate) fn rate(&self) -> Option<f64> {
        let mut sorted = self.rates.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }
}

/// One call after another.
pub(crate) async fn alone(call: &Call, effort: &Effort, figures: &mut Figures) -> Result<()> {
    let most = if call.operation.is_write() { effort.writes / 4 } else { effort.reads / 4 };
    let (call, time, first) = (call.clone(), effort.time, figures.calls);
    let calls = async move {
        let mut latencies = Vec::new();
        let start = Instant::now();
        while latencies.len() < most && start.elapsed() < time {
            let before = Instant::now();
            call.once(first + latencies.len()).await?;
            latencies.push(before.elapsed());
        }
        anyhow::Ok(latencies)
    };
    // On a thread of the runtime, like a server's calls, and not on the one that waits for the runtime.
    for latencies in JoinSet::from_iter([calls]).join_all().await {
        let latencies = latencies?;
        figures.calls += latencies.len();
        figures.latencies.extend(latencies);
    }
    Ok(())
}

/// Many concurrent tasks, each making one call after another.
pub(crate) async fn together(call: &Call, effort: &Effort, figures: &mut Figures) -> Result<()> {
    let most = if call.operation.is_write() { effort.writes } else { effort.reads };
    let (next, time, first) = (Arc::new(AtomicUsize::new(0)), effort.time, figures.calls);
    let start = Instant::now();
    let tasks = (0..TASKS).map(|_| {
        let (call, next) = (call.clone(), Arc::clone(&next));
        async move {
            let mut done = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= most || (number >= TASKS && start.elapsed() > time) {
                    return anyhow::Ok(done);
                }
                call.once(first + number).await?;
                done += 1;
                // A store in memory never waits, and would let one task do everything.
                tokio::task::yield_now().await;
            }
        }
    });
    let mut done = 0;
    for task in tasks.collect::<JoinSet<_>>().join_all().await {
        done += task?;
    }
    figures.calls += done;
    figures.rates.push(done as f64 / start.elapsed().as_secs_f64());
    Ok(())
}
