//! `cargo xtask test`: builds everything once, then cargo-nextest runs the tests as configured in `.config/nextest.toml`.

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

/// `.config/nextest.toml` is written for this version. It is compiled without its self-update.
const NEXTEST: Subcommand = Subcommand {
    name: "nextest",
    package: "cargo-nextest",
    version: "0.9.143",
    install: &["--no-default-features", "--features", "default-no-update"],
};

/// The common arguments of every build. If two of them differed in their packages or features, cargo would compile most
/// dependencies twice.
pub(crate) const WORKSPACE: [&str; 3] = ["--workspace", "--all-features", "--locked"];

/// Names the server that tests start; without it, the first test builds one with its own features.
const BINARY: &str = "AGENT_TEST_BINARY";

/// The path of the server below the target directory.
const SERVER: &str = "debug/agent-server";

/// How many rounds the tests with random input have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// As many as have to pass before a change is merged.
    Usual,
    /// Many more: an hour or two.
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
    // Also after failures, because slow tests may be the ones that failed.
    slowest::print(&junit(effort));
    run?;
    if effort == Effort::Full {
        newest_frameworks()?;
    }
    Step::cargo(&["test", "--doc"]).with_arguments(&WORKSPACE).run()?;
    outside()
}

/// Runs the tests that these arguments of a test program select, and builds only the programs that can have them.
/// Documentation tests are not included.
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
    // libtest's name for the option, and nextest's.
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
    // A number of rounds in the environment takes precedence.
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

/// Tests the newest versions of the frameworks, which may have changed since they were pinned.
fn newest_frameworks() -> Result<()> {
    let step =
        run_step(Effort::Full).with_arguments(&["-E", "binary(sdks) & (test(frameworks::) | test(codex::))"]);
    step.with_environment("AGENT_TEST_NEWEST", "1").with_environment(BINARY, &path_of_server()?).run()
}

/// Builds the server that the tests start, and returns its path.
///
/// # Errors
/// If it does not compile.
pub(crate) fn server() -> Result<PathBuf> {
    // Includes the examples, so that dependencies have the same features as for the tests.
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
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .context("the output of `cargo metadata` lacks the target directory")
}

fn metadata() -> Result<Value> {
    let output = output_of("cargo", &["metadata", "--format-version", "1", "--no-deps"])?;
    serde_json::from_str(&output).context("`cargo metadata` printed something that is not JSON")
}

/// Tests the example of a user's crates and the README, which are outside of the workspace and use only the public
/// interface.
fn outside() -> Result<()> {
    let root = workspace_root();
    // With the workspace's versions, which have already been downloaded.
    fs::copy(root.join("Cargo.lock"), root.join("tests/outside/Cargo.lock"))
        .context("could not copy Cargo.lock")?;
    let server = path_of_server()?;
    // Builds the README's program for its test, with the features that tests switch on.
    for command in [&["build", "--bins", "--tests"][..], &["test"]] {
        Step::cargo(command)
            .with_arguments(&["--workspace", "--offline", "--manifest-path", "tests/outside/Cargo.toml"])
            .with_arguments(&["--target-dir", "target/outside"])
            // The profile of tests inherits this, so both commands share what is compiled.
            .with_environment("CARGO_PROFILE_DEV_DEBUG", "0")
            .with_environment(BINARY, &server)
            .run()?;
    }
    Ok(())
}
