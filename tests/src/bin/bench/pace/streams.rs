//! Streams that are open at once, and what their words and their server did.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use memchr::memmem;

use super::shape::Shape;
use super::subject::Subject;
use crate::load::Connection;
use crate::process::{Server, cpu_time_here};
use crate::report::percentile;

/// One round of a subject.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) cpu_per_word: Duration,
    /// The share of a core that the server used, and the load generator.
    pub(super) server_share: f64,
    pub(super) load_share: f64,
    /// From a word's due time until it was read; without first words.
    pub(super) late_p50: Duration,
    pub(super) late_p99: Duration,
    /// From the request to the first word.
    pub(super) first_p50: Duration,
    pub(super) first_p99: Duration,
    /// Only without repetitions: later, the memory also has what is kept of ended streams.
    pub(super) bytes_per_stream: Option<u64>,
}

/// The times of some streams' words.
#[derive(Debug, Default)]
struct Times {
    first: Vec<Duration>,
    late: Vec<Duration>,
}

/// Opens all streams over some time, and reads them until they end.
pub(super) async fn measure(server: &Server, subject: Subject, shape: &Shape) -> Result<Sample> {
    // Prepares whatever a server does only once.
    Connection::open(&server.address).await?.run(&subject.request_at_once(shape)).await?;
    let idle = server.resident()?;
    let request = subject.request(shape);
    let (cpu, load_cpu, started) = (server.cpu_time()?, cpu_time_here()?, Instant::now());
    let reading = try_join_all((0..shape.streams).map(|position| {
        let (request, offset) = (&request, shape.start_of(position));
        async move {
            tokio::time::sleep(offset).await;
            // Not earlier: the server closes connections that send nothing.
            let mut connection = Connection::open(&server.address).await?;
            let mut times = Times::default();
            for _ in 0..shape.repeats {
                read_stream(&mut connection, request, subject, shape, &mut times).await?;
            }
            anyhow::Ok(times)
        }
    }));
    let middle = async {
        tokio::time::sleep(shape.all_open()).await;
        server.resident()
    };
    let (times, resident) = tokio::join!(reading, middle);
    let elapsed = started.elapsed();
    let cpu = server.cpu_time()?.saturating_sub(cpu);
    let load_cpu = cpu_time_here()?.saturating_sub(load_cpu);
    let (mut first, mut late) = (Vec::new(), Vec::new());
    for times in times? {
        first.extend(times.first);
        late.extend(times.late);
    }
    let grown = resident?.saturating_sub(idle);
    Ok(Sample {
        cpu_per_word: cpu / u32::try_from(shape.all_words())?,
        server_share: cpu.as_secs_f64() / elapsed.as_secs_f64(),
        load_share: load_cpu.as_secs_f64() / elapsed.as_secs_f64(),
        late_p50: percentile(&late, 0.5),
        late_p99: percentile(&late, 0.99),
        first_p50: percentile(&first, 0.5),
        first_p99: percentile(&first, 0.99),
        bytes_per_stream: (shape.repeats == 1).then_some(grown / shape.streams as u64),
    })
}

/// Reads one stream, and notes when its words arrive. A word is due a whole number of delays after the first one arrived.
async fn read_stream(
    connection: &mut Connection,
    request: &[u8],
    subject: Subject,
    shape: &Shape,
    times: &mut Times,
) -> Result<()> {
    let sent = Instant::now();
    connection.send(request).await?;
    let (mut first, mut words, mut is_head) = (None, 0_u32, true);
    loop {
        let whole = connection.read().await?;
        let now = Instant::now();
        if is_head {
            ensure!(
                connection.received().starts_with(b"HTTP/1.1 200"),
                "the answer is {}",
                shown(connection)
            );
            is_head = false;
        }
        for _ in 0..memmem::find_iter(connection.lines(), subject.mark()).count() {
            if words > 0
                && let Some(first) = first
            {
                times.late.push(now.saturating_duration_since(first + shape.delay * words));
            }
            first = first.or(Some(now));
            words += 1;
        }
        if whole {
            break;
        }
        connection.forget_lines();
    }
    ensure!(
        words as usize == shape.words,
        "{words} of {} words arrived; the end is {}",
        shape.words,
        shown(connection)
    );
    times.first.extend(first.map(|first| first - sent));
    Ok(())
}

fn shown(connection: &Connection) -> String {
    String::from_utf8_lossy(connection.received()).into_owned()
}
