//! Measures the stores: every backend at several sizes, with one and with 64 concurrent tasks, compared with raw Redis and
//! with the stores of the Python project that this one re-implements.
//!
//! Each size has a separate store. Each round measures all sizes of a backend in turn, so that a noisy machine affects
//! them equally.

mod backend;
mod corpus;
mod floor;
mod measure;
mod operation;
mod redis;
mod seed;
mod table;
mod upstream;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use tempfile::TempDir;

use self::backend::{Backend, Stores};
use self::corpus::Corpus;
use self::measure::Effort;
use self::operation::Operation;
use self::table::Report;
use agent_tests::redis::RedisServer;

/// Measures the stores: in memory, SQLite and Redis.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Skip the stores of the Python project
    #[arg(long)]
    no_upstream: bool,
    /// Only backends whose name contains this: memory, sqlite, redis
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
}

/// Measures everything and prints one table.
pub(crate) fn run(options: &Options, quick: bool, json: Option<&PathBuf>) -> Result<()> {
    let sizes: &[usize] = if quick { &[10, 100, 1000] } else { &[10, 1000, 100_000] };
    let effort = if quick { Effort::quick() } else { Effort::full() };
    let corpus = Arc::new(Corpus::new(*sizes.last().context("no sizes")?));
    let mut report = Report::new(sizes);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let missing = RedisServer::start().err();
    if let Some(error) = &missing {
        report.note(&format!("Redis and upstream were skipped. {error}."));
    }
    let wanted = |name: &str| {
        options.backend.as_ref().is_none_or(|only| name.contains(only.as_str()))
            && (name != "redis" || missing.is_none())
    };
    runtime.block_on(async {
        for backend in Backend::ALL.into_iter().filter(|backend| wanted(backend.name())) {
            measure(backend, sizes, &corpus, &effort, &mut report).await.context(backend.name())?;
        }
        anyhow::Ok(())
    })?;
    if wanted("redis") {
        report.floor(floor::measure(quick)?);
    }
    if options.no_upstream {
        report.note("Upstream was skipped, as requested.");
    } else if missing.is_none() {
        match upstream::measure(&corpus, sizes) {
            Ok(figures) => report.upstream(&figures)?,
            Err(error) => report.note(&format!("Upstream's columns are missing: {error:#}.")),
        }
    }
    println!("{report}");
    if let Some(path) = json {
        std::fs::write(path, report.json()?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

async fn measure(
    backend: Backend,
    sizes: &[usize],
    corpus: &Arc<Corpus>,
    effort: &Effort,
    report: &mut Report,
) -> Result<()> {
    let mut all: Vec<(usize, Arc<Stores>, TempDir)> = Vec::new();
    for &size in sizes {
        let folder = tempfile::tempdir()?;
        let stores = Arc::new(backend.open(&folder)?);
        stores.start().await?;
        let used = seed::fill(&stores, size, corpus).await?;
        eprintln!("{}: {size} items are stored", backend.name());
        report.used(backend.name(), size, used);
        all.push((size, stores, folder));
    }
    for round in 0..effort.rounds {
        for operation in Operation::ALL {
            for (size, stores, _) in &all {
                let (stores, corpus) = (Arc::clone(stores), Arc::clone(corpus));
                let call = operation::Call { stores, operation, size: *size, corpus };
                let figures = report.figures(operation.name(), *size, backend.name());
                measure::alone(&call, effort, figures).await.with_context(|| operation.name())?;
                if !figures.is_enough() {
                    measure::together(&call, effort, figures).await.with_context(|| operation.name())?;
                }
            }
        }
        eprintln!("{}: round {} of {} is done", backend.name(), round + 1, effort.rounds);
    }
    for (_, stores, _) in &all {
        stores.stop().await?;
    }
    Ok(())
}
