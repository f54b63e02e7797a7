//! The binary under test.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The path of the `agent-server` binary: the file that `AGENT_TEST_BINARY` names. Without that variable, the first call
/// builds the binary with the profile of the tests.
///
/// # Panics
/// If there is no such file, or if the binary cannot be built.
pub fn agent_server() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "the caller of the tests may have built the binary")]
    PATH.get_or_init(|| std::env::var_os("AGENT_TEST_BINARY").map_or_else(build, existing))
}

fn existing(path: OsString) -> PathBuf {
    let path = PathBuf::from(path);
    assert!(path.is_file(), "AGENT_TEST_BINARY names {}, which is not a file", path.display());
    path
}

fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "-p", "agent-cli", "--bin", "agent-server", "--message-format=json"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    // Cargo's variables about the test's own package would make the build script of a dependency run again.
    for name in [
        "MANIFEST_DIR",
        "PKG_NAME",
        "PKG_VERSION_MAJOR",
        "PKG_VERSION_MINOR",
        "PKG_VERSION_PATCH",
        "PKG_VERSION_PRE",
    ] {
        cargo.env_remove(format!("CARGO_{name}"));
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
