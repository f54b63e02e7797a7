//! Measures the cost of a word at the pace of models: streams that are open at once, with some milliseconds from word to
//! word.
//!
//! Each round starts every server of a row anew and measures it alone, because the wake-ups and the memory of another one
//! would disturb. The floor is the first of them.

mod budget;
mod model;
mod row;
mod shape;
mod streams;
mod subject;
mod table;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use self::row::Row;
use self::shape::Shape;
use self::streams::Sample;
use self::subject::Subject;
use self::table::Table;
use crate::store::Store;
use crate::{Arguments, process, raise_open_files};
use agent_tests::redis::RedisServer;

pub(crate) use self::model::{Options as ModelOptions, serve as serve_model};

/// The argument of the process that makes the load.
pub(crate) const DRIVE: &str = "--drive";

/// Measures streams at the pace of models: CPU time per word, delays and memory. Without options, the rows that have budgets
/// and some more; takes about 25 minutes.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Numbers of streams, as in 100,1000
    #[arg(long, value_delimiter = ',', value_name = "N")]
    streams: Vec<usize>,
    /// Numbers of words of a stream
    #[arg(long, value_delimiter = ',', value_name = "N")]
    words: Vec<usize>,
    /// Milliseconds from word to word
    #[arg(long, value_delimiter = ',', value_name = "MS")]
    delay: Vec<u64>,
    /// How often each server is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[arg(long, hide = true)]
    drive: bool,
}

/// What is measured for a row of the results.
#[derive(Debug)]
struct Plan {
    shape: Shape,
    subjects: Vec<Subject>,
}

impl Options {
    /// Whether this process makes the load.
    pub(crate) fn is_driving(&self) -> bool {
        self.drive
    }

    /// What is measured.
    fn plans(&self, quick: bool) -> Vec<Plan> {
        let plan = |streams, words, delay, subjects: &[Subject]| Plan {
            shape: Shape::new(streams, words, Duration::from_millis(delay)),
            subjects: subjects.to_vec(),
        };
        if !(self.streams.is_empty() && self.words.is_empty() && self.delay.is_empty()) {
            return self.selected().map(|shape| Plan { shape, subjects: Subject::ALL.to_vec() }).collect();
        }
        if quick {
            let shape = Shape { streams: 20, words: 20, delay: Duration::from_millis(20), repeats: 1 };
            return vec![Plan { shape, subjects: Subject::ALL.to_vec() }];
        }
        let one_protocol: Vec<_> =
            Subject::ALL.into_iter().filter(|subject| !subject.is_translated()).collect();
        let memory = [Subject::Floor, Subject::Echo(Store::Memory)];
        vec![
            plan(100, 200, 50, &Subject::ALL),
            plan(1000, 200, 50, &one_protocol),
            plan(5000, 200, 200, &memory),
            plan(100, 20, 50, &Subject::STORES),
            plan(100, 200, 20, &Subject::STORES),
            plan(1000, 20, 200, &Subject::STORES),
        ]
    }

    /// All combinations of the options.
    fn selected(&self) -> impl Iterator<Item = Shape> {
        let or = |given: &[usize], usual| if given.is_empty() { vec![usual] } else { given.to_vec() };
        let (words, streams) = (or(&self.words, 200), or(&self.streams, 100));
        let delays = if self.delay.is_empty() { vec![50] } else { self.delay.clone() };
        let with_delays = words.into_iter().flat_map(move |words| {
            delays.clone().into_iter().map(move |delay| (words, Duration::from_millis(delay)))
        });
        with_delays.flat_map(move |(words, delay)| {
            streams.clone().into_iter().map(move |streams| Shape::new(streams, words, delay))
        })
    }
}

/// Measures everything and prints one table.
pub(crate) fn run(options: &Options, arguments: &Arguments) -> Result<()> {
    raise_open_files();
    let server = arguments.server()?;
    let rounds = if arguments.quick { 1 } else { options.rounds.max(1) };
    let mut table = Table::new(process::pinning());
    let missing = RedisServer::start().err();
    if let Some(error) = &missing {
        table.note(format!("Redis was skipped. {error}."));
    }
    let is_wanted = |subject: &Subject| {
        let is_possible = missing.is_none() || !subject.needs_redis();
        *subject == Subject::Floor || (is_possible && is_named(*subject, arguments.only.as_deref()))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        for Plan { shape, mut subjects } in options.plans(arguments.quick) {
            subjects.retain(is_wanted);
            let measured = measure(&shape, &subjects, rounds, &server).await.with_context(|| shape.name())?;
            table.row(Row::new(shape, &measured));
        }
        anyhow::Ok(())
    })?;
    println!("{table}");
    if let Some(path) = &arguments.json {
        std::fs::write(path, table.json()?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Whether `--only` names a server: with its whole name, or without such a server with a part of it.
fn is_named(subject: Subject, only: Option<&str>) -> bool {
    let Some(only) = only else { return true };
    let name = subject.name();
    let is_whole_name = Subject::ALL.into_iter().any(|other| other.name() == only);
    if is_whole_name { name == only } else { name.contains(only) }
}

/// Measures all servers in turn, several times.
async fn measure(
    shape: &Shape,
    subjects: &[Subject],
    rounds: usize,
    server: &Path,
) -> Result<Vec<(Subject, Vec<Sample>)>> {
    let mut measured: Vec<_> = subjects.iter().map(|subject| (*subject, Vec::new())).collect();
    for round in 0..rounds {
        for (subject, samples) in &mut measured {
            eprintln!("{}, round {}: {}", shape.name(), round + 1, subject.name());
            let running = subject.start(server, shape).await.with_context(|| subject.name())?;
            let sample = streams::measure(&running.server, *subject, shape).await;
            samples.push(sample.with_context(|| subject.name())?);
        }
    }
    Ok(measured)
}
