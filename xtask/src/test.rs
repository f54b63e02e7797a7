//! `cargo xtask test`: everything is built once, then cargo-nextest runs the tests as `.config/nextest.toml` says.

mod slowest;
mod targets;

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use self::targets::Targets;
use crate::steps::{Step, output_of, workspace_root};
use crate::tools::{self, Subcommand};

/// `.config/nextest.toml` is written for this version. It is compiled without what updates it.
const NEXTEST: Subcommand = Subcommand {
    name: "nextest",
    package: "cargo-nextest",
    version: "0.9.143",
    install: &["--no-default-features", "--features", "default-no-update"],
};

/// What every build of the project's checks has in common. Where two of them differed in their packages or features,
/// cargo would compile most dependencies twice.
pub(crate) const WORKSPACE: [&str; 3] = ["--workspace", "--all-features", "--locked"];

/// Names the server that tests start; without it, the first test builds one with features of its own.
const BINARY: &str = "AGENT_TEST_BINARY";

/// Where cargo puts the server, below the target directory.
const SERVER: &str = "debug/agent-server";

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// What has to pass before a change lands.
    Usual,
    /// Many rounds of the tests with random input: an hour or two.
    Full,
}

impl Effort {
    fn profile(self) -> &'static str {
        match self {
            Effort::Usual => "default",
            Effort::Full => "full",
        }
    }
}

/// Runs every test.
///
/// # Errors
/// If a tool is missing, something does not compile, or a test fails.
pub(crate) fn all(effort: Effort) -> Result<()> {
    prepare()?;
    Step::cargo(&["build", "--all-targets"]).with_arguments(&WORKSPACE).run()?;
    install_clients()?;
    let run = run_step(effort).with_environment(BINARY, &path_of_server()?).run();
    // After failures, too: what is slow may be what fails.
    slowest::print(&junit(effort));
    run?;
    Step::cargo(&["test", "--doc"]).with_arguments(&WORKSPACE).run()?;
    outside()
}

/// Runs the tests that these arguments of a test program select, and builds no more than the programs which can have
/// them. Documentation tests are not among them.
///
/// # Errors
/// If a tool is missing, no test has such a name, something does not compile, or a test fails.
pub(crate) fn some(arguments: &[String]) -> Result<()> {
    prepare()?;
    let (flags, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with('-'));
    let targets = Targets::that_can_have(&names, &metadata()?)?;
    ensure!(!targets.is_empty(), "no test has {names:?} in its name or in that of its module");
    let mut run = run_step(Effort::Usual).with_arguments(&targets.flags());
    if targets.start_the_server() {
        let build = Step::cargo(&["build", "--bin=agent-server"]).with_arguments(&targets.flags());
        build.with_arguments(&WORKSPACE).run()?;
        run = run.with_environment(BINARY, &path_of_server()?);
    }
    // libtest's word for it, and nextest's own.
    let is_shown = |flag: &&&String| ["--nocapture", "--no-capture"].contains(&flag.as_str());
    if flags.iter().any(|flag| is_shown(&flag)) {
        run = run.with_arguments(&["--no-capture"]);
    }
    let flags: Vec<_> = flags.iter().filter(|flag| !is_shown(flag)).collect();
    run.with_arguments(&["--"]).with_arguments(&names).with_arguments(&flags).run()
}

fn prepare() -> Result<()> {
    tools::require("test")?;
    NEXTEST.require()
}

fn run_step(effort: Effort) -> Step {
    let step = Step::cargo(&["nextest", "run", "--profile", effort.profile()]).with_arguments(&WORKSPACE);
    // Whoever asks for other rounds gets them.
    if effort == Effort::Full && env::var_os("AGENT_TEST_ROUNDS").is_none() {
        return step.with_environment("AGENT_TEST_ROUNDS", "50");
    }
    step
}

/// Installs the packages of the clients in other languages, before tests with a deadline wait for them.
fn install_clients() -> Result<()> {
    Step::cargo(&["test", "--test", "consumers", "--test", "sdks"])
        .with_arguments(&WORKSPACE)
        .with_arguments(&["--", "installed::"])
        .run()
}

/// Builds the server that the tests start, and says where it is.
///
/// # Errors
/// If it does not compile.
pub(crate) fn server() -> Result<PathBuf> {
    // With the examples, dependencies have the features that the tests want; without them, others.
    Step::cargo(&["build", "--bin=agent-server", "--examples"]).with_arguments(&WORKSPACE).run()?;
    Ok(target_folder(&metadata()?)?.join(SERVER))
}

/// The server that was built, unless the environment names another one.
fn path_of_server() -> Result<String> {
    if let Ok(named) = env::var(BINARY) {
        return Ok(named);
    }
    let path = target_folder(&metadata()?)?.join(SERVER);
    ensure!(path.is_file(), "cargo did not build {}", path.display());
    Ok(path.display().to_string())
}

/// Where nextest writes how long each test took, wherever cargo's target directory is.
fn junit(effort: Effort) -> PathBuf {
    workspace_root().join("target/nextest").join(effort.profile()).join("junit.xml")
}

fn target_folder(metadata: &Value) -> Result<PathBuf> {
    metadata["target_directory"].as_str().map(PathBuf::from).context("cargo names no target directory")
}

fn metadata() -> Result<Value> {
    let output = output_of("cargo", &["metadata", "--format-version", "1", "--no-deps"])?;
    serde_json::from_str(&output).context("`cargo metadata` printed something that is not JSON")
}

/// Tests the crate that stands for those of users, and the README: they are outside of the workspace and use the public
/// interface alone.
fn outside() -> Result<()> {
    let root = workspace_root();
    // With the workspace's versions, which are on this machine already.
    fs::copy(root.join("Cargo.lock"), root.join("tests/outside/Cargo.lock"))
        .context("cannot copy Cargo.lock")?;
    let server = path_of_server()?;
    // The README's program, which its test starts, with the features that the tests bring along.
    for command in [&["build", "--bins", "--tests"][..], &["test"]] {
        Step::cargo(command)
            .with_arguments(&["--workspace", "--offline", "--manifest-path", "tests/outside/Cargo.toml"])
            .with_arguments(&["--target-dir", "target/outside"])
            // Tests have it from here, too, and share what is compiled.
            .with_environment("CARGO_PROFILE_DEV_DEBUG", "0")
            .with_environment(BINARY, &server)
            .run()?;
    }
    Ok(())
}
