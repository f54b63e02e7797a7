//! Measures reading logs again, and runs without readers.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;

use crate::Arguments;
use crate::load::{Connection, request, request_to};
use crate::process::Server;
use crate::report::{LogsMeasured, Report, percentile};
use crate::store::Store;

/// An echo of this many words has six more events.
const WORDS: usize = 9_994;
const EVENTS: usize = WORDS + 6;

/// The number of connections over which waiting runs are started.
const STARTERS: usize = 16;

pub(crate) fn name(store: Store) -> String {
    format!("logs, {}", store.name())
}

pub(crate) async fn measure(store: Store, arguments: &Arguments, report: &mut Report) -> Result<()> {
    let (times, idle_runs) = if arguments.quick { (5, 200) } else { (50, 10_000) };
    let floor = Server::floor().await?;
    let server = Server::storing(&arguments.server()?, &["--agent", "echo"], store).await?;
    let whole = request(WORDS, "");
    let mut connection = Connection::open(&floor.address).await?;
    connection.run(&whole).await?;
    let floor_cpu = floor.cpu_time()?;
    for _ in 0..times {
        connection.run(&whole).await?;
    }
    let floor_cpu = floor.cpu_time()? - floor_cpu;

    let mut connection = Connection::open(&server.address).await?;
    connection.run(&whole).await?;
    let id = connection.header("x-run-id").context("the answer names no run")?;
    let again = get(&format!("/runs/{id}/events"), "");
    let (mut first_events, cpu, started) = (Vec::new(), server.cpu_time()?, Instant::now());
    for _ in 0..times {
        connection.run(&again).await?;
    }
    let (time, cpu) = (started.elapsed(), server.cpu_time()? - cpu);
    let resumed = get(&format!("/runs/{id}/events"), &format!("last-event-id: {}\r\n", EVENTS / 2));
    for _ in 0..times {
        first_events.push(connection.run(&resumed).await?);
    }
    let events = u32::try_from(times * EVENTS)?;
    let (bytes_per_idle_run, idle_starts_per_second) = idle(&server, idle_runs).await?;
    report.logs(
        store.name(),
        &LogsMeasured {
            events: EVENTS,
            time_per_event: time / events,
            cpu_per_event: cpu / events,
            floor_cpu_per_event: floor_cpu / events,
            resumed_first_event: percentile(&first_events, 0.5),
            idle_runs,
            bytes_per_idle_run,
            idle_starts_per_second,
        },
    );
    Ok(())
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n{headers}\r\n")
        .into_bytes()
}

/// Starts runs that say one word and then wait for as long as an agent may; returns the memory of each, and how many were
/// started per second.
async fn idle(server: &Server, runs: usize) -> Result<(u64, f64)> {
    // Longer than this measurement.
    let delay = format!(r#","delay_ms":{}"#, Duration::from_secs(60).as_millis());
    let request = request_to("/runs", 20, &delay);
    let before = server.resident()?;
    let started = Instant::now();
    try_join_all((0..STARTERS).map(|_| async {
        let mut connection = Connection::open(&server.address).await?;
        for _ in 0..runs / STARTERS {
            connection.send(&request).await?;
            let answer = connection.short_answer().await?;
            ensure!(answer.starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(answer));
        }
        anyhow::Ok(())
    }))
    .await?;
    let rate = runs as f64 / started.elapsed().as_secs_f64();
    let grown = server.resident()?.saturating_sub(before);
    Ok((grown / runs as u64, rate))
}
