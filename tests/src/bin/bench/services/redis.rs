//! What Redis servers of the benchmark say of themselves.

use std::process::Command;

use agent_tests::redis::RedisServer;
use anyhow::{Context, Result};

/// What the data of a server takes up, in bytes.
pub(crate) fn used_memory(server: &RedisServer) -> Result<u64> {
    let mut command = Command::new("redis-cli");
    let output = command.args(["-p", &server.port().to_string(), "info", "memory"]).output();
    let output =
        output.context("`redis-cli` is missing, which comes with `redis-server` or `redis-tools`")?;
    let text = String::from_utf8(output.stdout)?;
    let bytes = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
    bytes.and_then(|bytes| bytes.trim().parse().ok()).context("Redis does not say how much memory it uses")
}
