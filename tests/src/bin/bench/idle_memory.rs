//! Measures how much memory a server gives back after a load.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::Arguments;
use crate::load::{Workload, full_load, request};
use crate::process::Server;
use crate::report::Report;
use crate::store::Store;

/// Runs over 16 connections, each with its own session.
const WORKLOAD: Workload = Workload { words: 20, connections: 16, yields: false, runs: 32_000 };

/// Ended runs are kept for only some seconds with it.
const CONFIG: &str = "tests/bench/short-retention.toml";

/// The server looks for old runs twice a minute, so that it has had several chances after this time.
const LONGEST: Duration = Duration::from_secs(120);

/// How much more than after its start an idle server may hold.
const BUDGET: u64 = 20 << 20;

pub(crate) fn name(store: Store) -> String {
    format!("memory after load, {}", store.name())
}

/// Measures a new server before and after the load, and once old runs are gone.
pub(crate) async fn measure(store: Store, arguments: &Arguments, report: &mut Report) -> Result<()> {
    let server = Server::storing(&arguments.server()?, &["--config", CONFIG], store).await?;
    let fresh = server.resident()?;
    let runs = if arguments.quick { WORKLOAD.runs / 20 } else { WORKLOAD.runs };
    full_load(&server, &WORKLOAD, &request(WORKLOAD.words, ""), runs).await?;
    let loaded = server.resident()?;
    let stopped = Instant::now();
    let mut idle = loaded;
    while idle.saturating_sub(fresh) > BUDGET && stopped.elapsed() < LONGEST {
        tokio::time::sleep(Duration::from_secs(1)).await;
        idle = server.resident()?;
    }
    report.idle_memory(&name(store), runs, [fresh, loaded, idle], stopped.elapsed());
    let grown = idle.saturating_sub(fresh) as f64 / f64::from(1 << 20);
    report.budget(
        format!("{}: idle memory above that of a fresh start", name(store)),
        (BUDGET >> 20) as f64,
        grown,
        " MiB",
    );
    Ok(())
}
