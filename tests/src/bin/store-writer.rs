//! Writes to the stores of a place until it is killed, and prints what was acknowledged: `store-writer PLACE ROUND`. Each
//! line on standard output is the number of a writer, and how many of its writes came before.

use std::io::Write;
use std::sync::Arc;

use agent_tests::store::{Place, Stores, Writer};
use anyhow::{Context, Result};
use clap::Parser;
use tokio::task::JoinSet;

#[derive(Debug, Parser)]
struct Arguments {
    place: String,
    round: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let stores = Arc::new(Stores::start(&Place::of_argument(&arguments.place)).await?);
    let mut writers = JoinSet::new();
    for writer in Writer::all(arguments.round) {
        writers.spawn(write(writer, Arc::clone(&stores)));
    }
    let ended = writers.join_next().await;
    ended.context("there are writers")??
}

async fn write(writer: Writer, stores: Arc<Stores>) -> Result<()> {
    for n in 0.. {
        writer.write(&stores, n).await?;
        // One system call per line, so that readers see only whole lines.
        std::io::stdout().write_all(format!("{} {n}\n", writer.number).as_bytes())?;
    }
    Ok(())
}
