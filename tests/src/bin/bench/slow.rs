//! Many concurrent streams that are mostly silent, with a word every 200 ms.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use memchr::memmem;

use crate::load::{Connection, request};
use crate::process::Server;
use crate::report::{Report, SlowMeasured, percentile};
use crate::{Arguments, pair};

const WORD_EVERY: Duration = Duration::from_millis(200);

/// The time during which the streams are started.
const RAMP: Duration = Duration::from_secs(4);

/// Long enough that all streams are open at once for a while.
const WORDS: usize = 75;

pub(crate) fn sizes(quick: bool) -> Vec<usize> {
    if quick { vec![200] } else { vec![2_000, 10_000] }
}

pub(crate) fn name(streams: usize) -> String {
    format!("{streams} slow streams")
}

pub(crate) async fn compare(streams: usize, arguments: &Arguments, report: &mut Report) -> Result<()> {
    let mut measured = Vec::new();
    for which in 0..2 {
        // One server at a time: the other one's memory and wake-ups must not disturb.
        let [floor, ours] = pair(arguments, &["--agent", "echo"]).await?;
        let server = if which == 0 { floor } else { ours };
        measured.push(measure(&server, streams).await?);
    }
    report.slow(&name(streams), measured);
    Ok(())
}

async fn measure(server: &Server, streams: usize) -> Result<SlowMeasured> {
    let request = request(WORDS, &format!(r#","delay_ms":{}"#, WORD_EVERY.as_millis()));
    // The first stream makes the floor render its bytes.
    let mut connections = vec![Connection::open(&server.address).await?];
    connections[0].send(&request).await?;
    while !connections[0].read().await? && connections[0].received().len() < 4_000 {}
    let idle = server.resident()?;
    while connections.len() < streams {
        connections.push(Connection::open(&server.address).await?);
    }
    let cpu = server.cpu_time()?;
    let started = Instant::now();
    let reading = try_join_all(connections.iter_mut().skip(1).enumerate().map(|(position, connection)| {
        let request = &request;
        // Spread over some time, to measure many streams and not many simultaneous starts, and over a whole period, so that
        // the words are not due in the same millisecond.
        let offset = RAMP.mul_f64(position as f64 / streams as f64);
        async move {
            tokio::time::sleep(offset).await;
            connection.send(request).await?;
            delays(connection).await
        }
    }));
    let middle = async {
        tokio::time::sleep(WORD_EVERY * (WORDS as u32 - 10)).await;
        server.resident()
    };
    let (delays, resident) = tokio::join!(reading, middle);
    let delays: Vec<Duration> = delays?.into_iter().flatten().collect();
    let elapsed = started.elapsed();
    let cpu = server.cpu_time()? - cpu;
    Ok(SlowMeasured {
        bytes_per_stream: resident?.saturating_sub(idle) / streams as u64,
        cpu_share: cpu.as_secs_f64() / elapsed.as_secs_f64(),
        delay_p50: percentile(&delays, 0.5),
        delay_p99: percentile(&delays, 0.99),
    })
}

/// The delay of each word after its due time, measured from the first word.
async fn delays(connection: &mut Connection) -> Result<Vec<Duration>> {
    let mut delays = Vec::with_capacity(WORDS);
    let mut first: Option<Instant> = None;
    let mut words = 0;
    loop {
        let whole = connection.read().await?;
        let arrived = memmem::find_iter(connection.received(), b"\"delta\":true").count();
        let now = Instant::now();
        for _ in 0..arrived {
            let first = *first.get_or_insert(now);
            let due = first + WORD_EVERY * words;
            words += 1;
            delays.push(now.saturating_duration_since(due));
        }
        if whole {
            return Ok(delays);
        }
        connection.forget();
    }
}
