//! Load: connections that ask for one run after another, each in a session of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use tokio::time::sleep;

use super::contender::{Contender, Run};
use super::events;
use super::server::Server;
use crate::load::Connection;

/// The words of a run.
pub(crate) const WORDS: usize = 20;

/// A kind of load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    /// The pause before each word except the first.
    pub(crate) delay: Duration,
    /// No run begins later than this; those that have begun are finished.
    pub(crate) duration: Duration,
    /// The connections begin one after another during this time, because real streams do not start in step.
    pub(crate) ramp: Duration,
}

/// What one round of load has shown.
#[derive(Debug)]
pub(crate) struct Round {
    /// The runs that said all their words.
    pub(crate) runs: u32,
    pub(crate) failed: u32,
    pub(crate) cpu: Duration,
    pub(crate) elapsed: Duration,
    /// From each request to its first word.
    pub(crate) first_words: Vec<Duration>,
    /// How much later than due each run's last word came, from its first word on.
    pub(crate) delays: Vec<Duration>,
}

/// Puts this load on a server. Runs that fail are counted, because some servers refuse a few under load; it is an error if
/// most do.
pub(crate) async fn round(contender: &dyn Contender, server: &Server, load: &Load) -> Result<Round> {
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        connections.push(Connection::open(&server.address()).await?);
    }
    let words = events::words(0, WORDS);
    let (cpu, started) = (server.cpu_time()?, Instant::now());
    let runs = try_join_all(connections.iter_mut().enumerate().map(|(position, connection)| {
        let words = &words;
        async move {
            sleep(load.ramp.mul_f64(position as f64 / load.connections as f64)).await;
            let mut runs = Vec::new();
            while runs.is_empty() || started.elapsed() < load.duration {
                let run = one(contender, connection, words, load.delay).await;
                if run.is_err() {
                    // The old one may be in the middle of an answer.
                    *connection = Connection::open(&server.address()).await?;
                }
                runs.push(run);
            }
            anyhow::Ok(runs)
        }
    }))
    .await?;
    let elapsed = started.elapsed();
    let cpu = server.cpu_time()? - cpu;
    summarize(runs.into_iter().flatten().collect(), cpu, elapsed)
}

fn summarize(runs: Vec<Result<(Duration, Duration)>>, cpu: Duration, elapsed: Duration) -> Result<Round> {
    let (mut first_words, mut delays, mut failed, mut reason) = (Vec::new(), Vec::new(), 0, None);
    for run in runs {
        match run {
            Ok((first_word, delay)) => {
                first_words.push(first_word);
                delays.push(delay);
            }
            Err(error) => {
                failed += 1;
                reason = Some(error);
            }
        }
    }
    let runs = u32::try_from(first_words.len())?;
    match reason {
        Some(reason) if failed > runs => {
            Err(reason.context(format!("{failed} of {} runs failed", failed + runs)))
        }
        _ => Ok(Round { runs, failed, cpu, elapsed, first_words, delays }),
    }
}

/// One run: the time to its first word, and the delay of its last one.
async fn one(
    contender: &dyn Contender,
    connection: &mut Connection,
    words: &str,
    delay: Duration,
) -> Result<(Duration, Duration)> {
    let run = Run { session: &new_session(), words, delay_ms: u64::try_from(delay.as_millis())? };
    let arrivals =
        events::read(connection, &contender.request(&run), contender.word_marker(), usize::MAX).await?;
    ensure!(
        arrivals.len() == WORDS,
        "{} of {WORDS} words arrived: {}",
        arrivals.len(),
        String::from_utf8_lossy(connection.received())
    );
    let (first, last) = (arrivals.first().context("no words")?, arrivals.last().context("no words")?);
    let due = *first + delay * u32::try_from(WORDS - 1)?;
    Ok((*first, last.saturating_sub(due)))
}

/// The name of a new session, shaped like a UUID.
pub(crate) fn new_session() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{:08x}-0000-4000-8000-{number:012x}", std::process::id())
}
