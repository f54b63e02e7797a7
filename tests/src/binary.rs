//! The binary under test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// Where the `agent-server` binary is; it is built on the first call, with the profile of the tests.
///
/// # Panics
/// If it cannot be built.
pub fn agent_server() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(build)
}

fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "-p", "agent-cli", "--bin", "agent-server", "--message-format=json"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).stderr(Stdio::inherit());
    let output = cargo.output().expect("cargo can be started");
    assert!(output.status.success(), "agent-server cannot be built");
    let lines = output.stdout.split(|byte| *byte == b'\n');
    let path = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok()).find_map(|message| {
        let is_ours = message["target"]["name"] == "agent-server";
        message["executable"].as_str().filter(|_| is_ours).map(PathBuf::from)
    });
    path.expect("cargo says where the binary is")
}
