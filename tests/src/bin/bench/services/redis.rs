//! Information from the benchmark's Redis servers.

use std::process::Command;

use agent_tests::redis::RedisServer;
use anyhow::{Context, Result};

/// The size of a server's data in bytes.
pub(crate) fn used_memory(server: &RedisServer) -> Result<u64> {
    let mut command = Command::new("redis-cli");
    let output = command.args(["-p", &server.port().to_string(), "info", "memory"]).output();
    let output = output.context("`redis-cli` is missing; it is part of `redis-server` or `redis-tools`")?;
    let text = String::from_utf8(output.stdout)?;
    let bytes = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
    bytes.and_then(|bytes| bytes.trim().parse().ok()).context("Redis did not report its memory usage")
}
