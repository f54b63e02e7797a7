//! Everything that is measured of one server.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;

use super::behavior::{self, Behavior};
use super::contender::Contender;
use super::rounds::{Load, Round, WORDS, round};
use super::server::{Place, Server};
use crate::report::percentile;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) cpu_per_run: Duration,
    pub(crate) cpu_per_word: Duration,
    /// The p99 of how late the last word of a run is at that pace.
    pub(crate) delay: Duration,
    pub(crate) first_word_p50: Duration,
    pub(crate) first_word_p99: Duration,
    pub(crate) runs_per_second: f64,
    /// The runs under load that failed, of all rounds.
    pub(crate) failed: u32,
    pub(crate) idle_bytes: u64,
    pub(crate) bytes_per_stream: u64,
    pub(crate) start: Duration,
    pub(crate) behavior: Behavior,
}

/// How much is measured.
struct Effort {
    starts: usize,
    rounds: usize,
    seconds: u64,
    streams: usize,
}

impl Effort {
    fn new(is_quick: bool) -> Self {
        if is_quick {
            Effort { starts: 1, rounds: 1, seconds: 1, streams: 50 }
        } else {
            Effort { starts: 3, rounds: 3, seconds: 4, streams: 500 }
        }
    }

    fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// Measures a server in one configuration.
pub(crate) async fn measure(contender: &dyn Contender, place: &Place<'_>, is_quick: bool) -> Result<Row> {
    let effort = Effort::new(is_quick);
    // Not measured: the first start compiles modules and reads files from the disk.
    drop(Server::start(contender, place).await?);
    let (server, start) = start(contender, place, &effort).await?;
    // What a server does at first, such as creating tables, is not part of being idle.
    sleep(Duration::from_millis(1500)).await;
    let idle_bytes = server.resident()?;
    let at_once = |connections, seconds| Load {
        connections,
        delay: Duration::ZERO,
        duration: Duration::from_secs(seconds),
        ramp: Duration::ZERO,
    };
    round(contender, &server, &at_once(16, 1)).await.context("warming up")?;
    let alone = round(contender, &server, &at_once(1, effort.seconds)).await.context("one connection")?;
    let (mut loaded, mut paced) = (Vec::new(), Vec::new());
    let pace = Load {
        connections: 100,
        delay: Duration::from_millis(50),
        duration: effort.duration(),
        ramp: Duration::from_secs(1),
    };
    for _ in 0..effort.rounds {
        loaded.push(round(contender, &server, &at_once(16, effort.seconds)).await.context("16 connections")?);
        paced.push(round(contender, &server, &pace).await.context("100 streams at pace")?);
    }
    drop(server);
    let bytes_per_stream = memory(contender, place, effort.streams).await.context("memory of streams")?;
    let behavior = behavior::observe(contender, place).await?;
    let failed = loaded.iter().chain(&paced).map(|round| round.failed).sum();
    let loaded = median(loaded)?;
    let paced = median(paced)?;
    Ok(Row {
        cpu_per_run: loaded.cpu / loaded.runs,
        cpu_per_word: paced.cpu / paced.runs / u32::try_from(WORDS)?,
        delay: percentile(&paced.delays, 0.99),
        first_word_p50: percentile(&alone.first_words, 0.5),
        first_word_p99: percentile(&alone.first_words, 0.99),
        runs_per_second: f64::from(loaded.runs) / loaded.elapsed.as_secs_f64(),
        failed,
        idle_bytes,
        bytes_per_stream,
        start,
        behavior,
    })
}

/// The median of several starts, and the server of the last one.
async fn start(contender: &dyn Contender, place: &Place<'_>, effort: &Effort) -> Result<(Server, Duration)> {
    let mut server = Server::start(contender, place).await?;
    let mut starts = vec![server.start];
    while starts.len() < effort.starts {
        drop(server);
        server = Server::start(contender, place).await?;
        starts.push(server.start);
    }
    Ok((server, percentile(&starts, 0.5)))
}

/// The round with the median CPU time per run.
fn median(mut rounds: Vec<Round>) -> Result<Round> {
    rounds.sort_by_key(|round| round.cpu / round.runs);
    let middle = rounds.len() / 2;
    rounds.into_iter().nth(middle).context("nothing was measured")
}

/// The memory that each of many open streams takes, of a server that has served some before.
async fn memory(contender: &dyn Contender, place: &Place<'_>, streams: usize) -> Result<u64> {
    let server = Server::start(contender, place).await?;
    let few = Load {
        connections: 8,
        delay: Duration::ZERO,
        duration: Duration::from_secs(1),
        ramp: Duration::ZERO,
    };
    round(contender, &server, &few).await?;
    let before = server.resident()?;
    let many = Load {
        connections: streams,
        delay: Duration::from_millis(500),
        duration: Duration::ZERO,
        ramp: Duration::from_secs(2),
    };
    let middle = async {
        // All have begun, and none has ended.
        sleep(many.ramp + Duration::from_secs(4)).await;
        server.resident()
    };
    let (done, during) = tokio::join!(round(contender, &server, &many), middle);
    done?;
    Ok(during?.saturating_sub(before) / streams as u64)
}
