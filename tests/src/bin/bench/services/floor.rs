//! The performance of Redis itself with commands like ours, measured by `redis-benchmark`.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use agent_tests::redis::RedisServer;

/// One command: the latency of one connection, and the commands per second of 64.
#[derive(Clone, Debug)]
pub(crate) struct Floor {
    pub(crate) name: &'static str,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) rate: f64,
}

/// The approximate size of a stored message.
const MESSAGE: usize = 450;

/// Measures on a separate server, with a list of 1,000 messages.
pub(crate) fn measure(quick: bool) -> Result<Vec<Floor>> {
    let server = RedisServer::start()?;
    let message = "x".repeat(MESSAGE);
    let state = "x".repeat(1100);
    run(&server, 1, 1000, &["RPUSH", "list", &message])?;
    let commands: [(&str, &[&str]); 4] = [
        ("PING", &["PING"]),
        ("SET, 1,100 bytes", &["SET", "state", &state]),
        ("RPUSH, 450 bytes", &["RPUSH", "other", &message]),
        ("LRANGE, the last 50", &["LRANGE", "list", "-50", "-1"]),
    ];
    let calls = if quick { 2000 } else { 20_000 };
    let mut floors = Vec::new();
    for (name, command) in commands {
        let [_, p50_ms, p99_ms] = run(&server, 1, calls / 4, command)?;
        let [rate, ..] = run(&server, 64, calls, command)?;
        floors.push(Floor { name, p50_ms, p99_ms, rate });
    }
    Ok(floors)
}

/// Commands per second, and the median and 99th percentile of their latencies in milliseconds.
fn run(server: &RedisServer, connections: usize, calls: usize, command: &[&str]) -> Result<[f64; 3]> {
    let (port, connections, calls) = (server.port().to_string(), connections.to_string(), calls.to_string());
    let mut benchmark = Command::new("redis-benchmark");
    benchmark.args(["-p", &port, "-c", &connections, "-n", &calls, "--csv"]).args(command);
    let output = benchmark
        .output()
        .context("`redis-benchmark` is missing; it is part of `redis-server` or `redis-tools`")?;
    ensure!(output.status.success(), "redis-benchmark failed: {}", String::from_utf8_lossy(&output.stderr));
    // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().last().context("redis-benchmark printed nothing")?;
    let fields: Vec<&str> = line.trim_matches('"').split("\",\"").collect();
    let field = |back: usize| -> Result<f64> {
        let field = fields.len().checked_sub(back).and_then(|at| fields.get(at));
        field.context("redis-benchmark printed something unexpected")?.parse().map_err(Into::into)
    };
    Ok([field(7)?, field(4)?, field(2)?])
}
