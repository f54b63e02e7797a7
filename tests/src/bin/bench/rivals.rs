//! Measures other agent servers beside ours: each with the smallest agent that says the words of its input, written in its
//! own API. `tests/rivals/README.md` says how fair each comparison is.

mod adk;
mod agentscope;
mod agno;
mod behavior;
mod contender;
mod events;
mod install;
mod langgraph;
mod mastra;
mod measure;
mod ours;
mod rounds;
mod server;
mod table;
mod tree;

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use self::contender::Contender;
use self::server::Place;
use self::table::Table;
use crate::Arguments;

/// Measures other agent servers beside ours; installs them from the package registries first
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only servers whose name contains this, such as `ADK`
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Where the servers are installed; a later run uses what it finds there
    #[arg(long, value_name = "DIR", default_value = "target/rivals")]
    cache: PathBuf,
    /// Install the servers, and measure nothing
    #[arg(long)]
    install_only: bool,
}

/// Measures one server after another and prints one table. A server that cannot be installed or measured is named, and the
/// rest is measured all the same.
pub(crate) fn run(options: &Options, arguments: &Arguments) -> Result<()> {
    let wanted = |name: &str| {
        options.only.as_ref().is_none_or(|only| name.to_lowercase().contains(&only.to_lowercase()))
    };
    let contenders: Vec<_> = all().into_iter().filter(|contender| wanted(&contender.name())).collect();
    ensure!(!contenders.is_empty(), "no server has such a name: {}", names(&all()));
    let binary = std::path::absolute(arguments.server()?)?;
    ensure!(
        options.install_only || binary.is_file(),
        "{} is missing: build the server, or name it with `bench --server FILE rivals`",
        binary.display()
    );
    let cache = std::path::absolute(&options.cache)?;
    let mut failures = install::all(&contenders, &cache);
    if !options.install_only {
        let installed: Vec<_> =
            contenders.iter().map(AsRef::as_ref).filter(|one| !is_hit_by(&failures, *one)).collect();
        let place = Place { binary: &binary, cache: &cache };
        let table = measure_all(&installed, &place, arguments.quick, &mut failures)?;
        println!("{table}");
        if let Some(path) = &arguments.json {
            std::fs::write(path, table.json()?).with_context(|| path.display().to_string())?;
        }
    }
    report(&failures)
}

/// Measures the servers in turn, and adds those that could not be measured to the failures.
fn measure_all(
    contenders: &[&dyn Contender],
    place: &Place<'_>,
    is_quick: bool,
    failures: &mut Vec<Failure>,
) -> Result<Table> {
    crate::raise_open_files();
    let mut table = Table::new(crate::process::pin_load());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for contender in contenders {
        let (name, started) = (contender.name(), Instant::now());
        match runtime.block_on(measure::measure(*contender, place, is_quick)) {
            Ok(row) => {
                table.add(&name, row);
                eprintln!("{name} is measured ({:.0} s)", started.elapsed().as_secs_f32());
            }
            Err(error) => {
                let failure = Failure { name, reason: format!("could not be measured: {error:#}") };
                eprintln!("{failure}");
                failures.push(failure);
            }
        }
    }
    Ok(table)
}

/// Every server in each of its configurations, in the order of the table.
fn all() -> Vec<Box<dyn Contender>> {
    let mut all: Vec<Box<dyn Contender>> = Vec::new();
    all.extend(ours::all());
    all.extend(agentscope::all());
    all.extend(agno::all());
    all.extend(adk::all());
    all.extend(langgraph::all());
    all.extend(mastra::all());
    all
}

fn names(contenders: &[Box<dyn Contender>]) -> String {
    contenders.iter().map(|contender| contender.name()).collect::<Vec<_>>().join("; ")
}

/// Something that could not be installed or measured.
#[derive(Debug)]
struct Failure {
    /// The server's name, or that of the folder with its packages.
    name: String,
    reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.name, self.reason)
    }
}

/// Whether one of the failures is that of the contender's packages.
fn is_hit_by(failures: &[Failure], contender: &dyn Contender) -> bool {
    contender.packages().is_some_and(|packages| failures.iter().any(|one| one.name == packages.folder()))
}

fn report(failures: &[Failure]) -> Result<()> {
    if failures.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = failures.iter().map(Failure::to_string).collect();
    bail!("the table is not complete:\n{}", lines.join("\n"))
}
