//! Measures the cost of a run over each protocol, in turn, with the same server, agent and words.

use anyhow::{Context, Result};

use crate::Arguments;
use crate::load::{Workload, full_load, post, request};
use crate::process::Server;
use crate::report::{Measured, Report};
use crate::store::Store;

/// A protocol's request for a stream of these words.
struct Protocol {
    name: &'static str,
    path: &'static str,
    body: fn(&str) -> String,
}

/// The protocols other than our own.
const PROTOCOLS: [Protocol; 2] = [
    Protocol {
        name: "responses",
        path: "/v1/responses",
        body: |text| format!(r#"{{"model":"echo","input":"{text}","stream":true}}"#),
    },
    Protocol {
        name: "chat completions",
        path: "/v1/chat/completions",
        body: |text| {
            format!(r#"{{"model":"echo","messages":[{{"role":"user","content":"{text}"}}],"stream":true}}"#)
        },
    },
];

/// Measures all of them, with the server's default store and in memory.
pub(crate) async fn compare(arguments: &Arguments, report: &mut Report) -> Result<()> {
    let workloads = Workload::all(arguments.quick).into_iter().filter(|workload| workload.connections == 16);
    for workload in workloads {
        for store in [Store::Sqlite, Store::Memory] {
            let name = format!("{}, by protocol, {}", workload.name(), store.name());
            if arguments.only.as_ref().is_none_or(|only| name.contains(only)) {
                let measured = measure(&workload, store, arguments).await.with_context(|| name.clone())?;
                report.protocols(&name, &measured);
            }
        }
    }
    Ok(())
}

async fn measure(
    workload: &Workload,
    store: Store,
    arguments: &Arguments,
) -> Result<Vec<(&'static str, Vec<Measured>)>> {
    let server = Server::storing(&arguments.server()?, workload.ours(), store).await?;
    let text = vec!["word"; workload.words].join(" ");
    let own = ("process", request(workload.words, ""));
    let others = PROTOCOLS.iter().map(|other| (other.name, post(other.path, &(other.body)(&text))));
    let requests: Vec<_> = std::iter::once(own).chain(others).collect();
    for (_, request) in &requests {
        full_load(&server, workload, request, workload.runs / 10 + workload.connections).await?;
    }
    let mut measured: Vec<_> = requests.iter().map(|(name, _)| (*name, Vec::new())).collect();
    for _ in 0..if arguments.quick { 1 } else { arguments.rounds } {
        for ((_, request), (_, rounds)) in requests.iter().zip(&mut measured) {
            rounds.push(full_load(&server, workload, request, workload.runs).await?);
        }
    }
    Ok(measured)
}
