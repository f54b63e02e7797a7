//! Measures agents in Python: what they cost their own process and the server, and how long their first word takes.

use std::time::Duration;

use agent_tests::children_of;
use anyhow::{Context, Result};
use clap::Args;

use crate::Arguments;
use crate::load::{Connection, Workload, full_load, post, request};
use crate::process::Server;
use crate::report::Measured;
use crate::store::Store;

/// Measures agents in Python, executed by worker processes
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[arg(long, hide = true)]
    drive: bool,
}

/// Makes the measuring process run with [`Options::is_driving`].
pub(crate) const DRIVE: &str = "--drive";

const PYTHON: [&str; 2] = ["--config", "tests/bench/python.toml"];
const RUST: [&str; 2] = ["--config", "tests/bench/yielding.toml"];

impl Options {
    pub(crate) fn is_driving(&self) -> bool {
        self.drive
    }
}

/// A figure, and what it may be at most.
struct Figure {
    name: &'static str,
    limit: f64,
    measured: f64,
    unit: &'static str,
}

/// A round, with the CPU time that a run took in the worker.
struct Round {
    server: Measured,
    worker: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = runtime.block_on(measure(arguments))?;
    #[expect(clippy::print_stdout, reason = "the results are the program's output")]
    {
        println!("| figure | at most | measured | |\n|---|---|---|---|");
        for Figure { name, limit, measured, unit } in figures {
            let verdict = if measured <= limit { "met" } else { "not met" };
            println!("| {name} | {limit}{unit} | {measured:.2}{unit} | {verdict} |");
        }
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let scale = if arguments.quick { 10 } else { 1 };
    let workload =
        |words, connections, runs: usize| Workload { words, connections, yields: true, runs: runs / scale };
    let many = round(arguments, &PYTHON, workload(200, 64, 3_200)).await?;
    let few = round(arguments, &PYTHON, workload(20, 64, 12_800)).await?;
    let one = round(arguments, &PYTHON, workload(200, 1, 500)).await?;
    let one_short = round(arguments, &PYTHON, workload(20, 1, 2_000)).await?;
    let rust = round(arguments, &RUST, workload(20, 64, 12_800)).await?;
    let rust_alone = round(arguments, &RUST, workload(20, 1, 2_000)).await?;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    // 180 further words are the difference of two runs, so what remains of a short run is the cost of a run.
    let per_word = |long: &Round, short: &Round| (micros(long.worker) - micros(short.worker)) / 180.0;
    let word = per_word(&many, &few);
    Ok(vec![
        Figure { name: "worker CPU per event, 64 runs", limit: 2.5, measured: word, unit: " µs" },
        Figure {
            name: "worker CPU per event, 1 run",
            limit: 6.0,
            measured: per_word(&one, &one_short),
            unit: " µs",
        },
        Figure {
            name: "worker CPU per run",
            limit: 80.0,
            measured: micros(few.worker) - 20.0 * word,
            unit: " µs",
        },
        Figure {
            name: "server CPU per run of 20 words, ratio to the yielding echo",
            limit: 1.3,
            measured: micros(few.server.cpu_per_run) / micros(rust.server.cpu_per_run),
            unit: "",
        },
        Figure {
            name: "added to the first event, p50",
            limit: 0.3,
            measured: (micros(one_short.server.first_event_p50) - micros(rust_alone.server.first_event_p50))
                / 1e3,
            unit: " ms",
        },
        Figure {
            name: "a durable step, p50",
            limit: 1.0,
            measured: step(arguments, if arguments.quick { "50" } else { "1000" }).await?,
            unit: " ms",
        },
    ])
}

/// The median time of this many steps of one run, in milliseconds, as the agent measures it.
async fn step(arguments: &Arguments, count: &str) -> Result<f64> {
    let server = Server::storing(&arguments.server()?, &PYTHON, Store::Sqlite).await?;
    let mut connection = Connection::open(&server.address).await?;
    let body = format!(r#"{{"model":"steps","input":"{count}"}}"#);
    connection.send(&post("/v1/responses", &body)).await?;
    let answer = String::from_utf8_lossy(connection.short_answer().await?).into_owned();
    let median = answer.split("median=").nth(1).and_then(|rest| rest.split('=').next());
    Ok(median.with_context(|| format!("no median: {answer}"))?.parse()?)
}

/// Loads a new server; the figures are those after a warm-up.
async fn round(arguments: &Arguments, ours: &[&str], workload: Workload) -> Result<Round> {
    let server = Server::storing(&arguments.server()?, ours, Store::Memory).await?;
    let request = request(workload.words, "");
    full_load(&server, &workload, &request, workload.runs / 5 + workload.connections).await?;
    let before = server.cpu_time_of_children()?;
    let measured = full_load(&server, &workload, &request, workload.runs).await?;
    let runs = u32::try_from(workload.runs / workload.connections * workload.connections)?;
    let worker = server.cpu_time_of_children()?.checked_sub(before).context("a worker has gone")? / runs;
    Ok(Round { server: measured, worker })
}

impl Server {
    /// The user and system time of the processes that the server has started.
    fn cpu_time_of_children(&self) -> Result<Duration> {
        let mut sum = Duration::ZERO;
        for child in children_of(self.id()?) {
            sum += crate::process::cpu_time_of(&child.as_raw_nonzero().to_string())?;
        }
        Ok(sum)
    }
}
