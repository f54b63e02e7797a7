//! Measures the cost of a run: the real server with its `echo` agent, compared with a bare hyper server that sends the same
//! bytes. With `pace`, measures the cost of a word at the pace of models, with `services` that of the stores, and with
//! `rivals` other agent servers.
//!
//! Machines differ and are noisy, so the relevant figures are the ratios of two servers measured in turn in one run, and
//! above all the server's own CPU time, which other processes affect least.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

mod budgets;
mod floor;
mod idle_memory;
mod load;
mod logs;
mod mcp;
mod pace;
mod process;
mod protocols;
mod report;
mod rivals;
mod services;
mod slow;
mod store;
mod workers;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::load::Workload;
use crate::process::Server;
use crate::report::Report;
use crate::store::Store;

/// Compares the server, built with the profile `dist`, with a bare hyper server or with other servers, or measures its stores.
#[derive(Debug, Parser)]
struct Arguments {
    /// Run fewer and smaller rounds, to check that everything works
    #[arg(long, global = true)]
    quick: bool,
    /// How often each pair of servers is measured in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only workloads whose name contains this, or with `pace` only such servers
    #[arg(long, global = true)]
    only: Option<String>,
    /// Also write the figures as JSON
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
    /// The server's binary; by default the one beside this program
    #[arg(long, value_name = "FILE", global = true)]
    server: Option<PathBuf>,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    Pace(pace::Options),
    Services(services::Options),
    Rivals(rivals::Options),
    Workers(workers::Options),
    /// Run the bare hyper server
    #[command(hide = true)]
    Floor,
    /// Run the paced model
    #[command(hide = true)]
    Model(pace::ModelOptions),
    /// Run the load generator
    #[command(hide = true)]
    Drive,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // The load comes from a separate process, so that it can be kept off the servers' core.
    match arguments.role {
        Some(Role::Pace(ref options)) if options.is_driving() => pace::run(options, &arguments),
        Some(Role::Pace(_)) => process::rerun_pinned(process::LOAD_CORE, pace::DRIVE),
        Some(Role::Model(options)) => pace::serve_model(options),
        Some(Role::Services(options)) => services::run(&options, arguments.quick, arguments.json.as_ref()),
        Some(Role::Rivals(ref options)) => rivals::run(options, &arguments),
        Some(Role::Workers(ref options)) if options.is_driving() => workers::run(&arguments),
        Some(Role::Workers(_)) => process::rerun_pinned(process::LOAD_CORE, workers::DRIVE),
        Some(Role::Floor) => floor::serve(),
        Some(Role::Drive) => measure(&arguments),
        None => process::rerun_pinned(process::LOAD_CORE, "drive"),
    }
}

fn measure(arguments: &Arguments) -> Result<()> {
    raise_open_files();
    let mut report = Report::new(process::pinning());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only));
        for workload in Workload::all(arguments.quick).into_iter().filter(|workload| wanted(&workload.name()))
        {
            let ours = workload.ours();
            let medians = load::compare(&workload, ours, arguments, &mut report)
                .await
                .with_context(|| workload.name())?;
            budgets::check_load(&workload, &medians, &mut report);
        }
        for streams in
            slow::sizes(arguments.quick).into_iter().filter(|streams| wanted(&slow::name(*streams)))
        {
            slow::compare(streams, arguments, &mut report).await.with_context(|| slow::name(streams))?;
        }
        protocols::compare(arguments, &mut report).await?;
        for store in [Store::Memory].into_iter().chain(Store::DURABLE) {
            if wanted(&logs::name(store)) {
                logs::measure(store, arguments, &mut report).await.with_context(|| logs::name(store))?;
            }
        }
        for store in
            [Store::Memory, Store::Sqlite].into_iter().filter(|store| wanted(&idle_memory::name(*store)))
        {
            idle_memory::measure(store, arguments, &mut report)
                .await
                .with_context(|| idle_memory::name(store))?;
        }
        if wanted(mcp::NAME) {
            mcp::measure(arguments, &mut report).await.context(mcp::NAME)?;
        }
        if wanted(mcp::SERVER) {
            mcp::measure_server(arguments, &mut report).await.context(mcp::SERVER)?;
        }
        if wanted("start") {
            report.start(
                process::start_times(&arguments.server()?, if arguments.quick { 3 } else { 20 }).await?,
            );
        }
        anyhow::Ok(())
    })?;
    println!("{report}");
    if let Some(path) = &arguments.json {
        std::fs::write(path, report.json()?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

impl Arguments {
    /// The binary of the server.
    fn server(&self) -> Result<PathBuf> {
        let beside = || anyhow::Ok(std::env::current_exe()?.with_file_name("agent-server"));
        self.server.clone().map_or_else(beside, Ok)
    }
}

/// The load needs as many sockets as the servers.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        eprintln!("the limit of open files could not be raised: {error}");
    }
}

/// The two servers of a comparison: the floor first.
async fn pair(arguments: &Arguments, ours: &[&str]) -> Result<[Server; 2]> {
    Ok([Server::floor().await?, Server::ours(&arguments.server()?, ours).await?])
}
