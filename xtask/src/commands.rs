//! What each command runs, step by step.

use std::fs;

use anyhow::{Context, Result};

use crate::steps::{Step, workspace_root};
use crate::{deny, tidy, tools};

/// Runs every test, and hands `arguments` to the test programs.
pub(crate) fn test(arguments: &[String]) -> Result<()> {
    tools::require("test")?;
    let step = Step::cargo(&["test", "--workspace", "--all-features", "--locked"]);
    if !arguments.is_empty() {
        return step.with_arguments(&["--"]).with_arguments(arguments).run();
    }
    step.run()?;
    outside()
}

/// Tests a crate that stands for users' crates: it is outside the workspace and uses only the public interface.
fn outside() -> Result<()> {
    let root = workspace_root();
    // With the workspace's versions, which are on this machine already.
    fs::copy(root.join("Cargo.lock"), root.join("tests/outside/Cargo.lock"))
        .context("could not copy Cargo.lock")?;
    Step::cargo(&["test", "--offline", "--manifest-path", "tests/outside/Cargo.toml"])
        .with_arguments(&["--target-dir", "target/outside"])
        .with_environment("CARGO_PROFILE_TEST_DEBUG", "0")
        .run()
}

/// Checks everything that can be checked without running the project.
pub(crate) fn lint() -> Result<()> {
    tools::require("lint")?;
    Step::cargo(&["fmt", "--all", "--check"]).run()?;
    // The end-to-end tests need the server's default features and would switch them on for everybody.
    for features in [&["--all-features"][..], &["--no-default-features", "--exclude", "agent-tests"]] {
        Step::cargo(&["clippy", "--workspace", "--all-targets", "--locked"])
            .with_arguments(features)
            .with_arguments(&["--", "-D", "warnings"])
            .run()?;
    }
    Step::cargo(&["doc", "--workspace", "--no-deps", "--all-features", "--locked"])
        .with_environment("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    tidy::run()?;
    check_schema()?;
    deny::run()
}

/// Where the exported schemas are.
const SCHEMA_FOLDER: &str = "docs/reference/schema";

/// Writes the schemas of the wire types, and removes those of types that no longer exist.
pub(crate) fn schema() -> Result<()> {
    run_schema("--out")
}

/// Fails if the schemas of the wire types are out of date.
pub(crate) fn check_schema() -> Result<()> {
    run_schema("--check").context("bring them up to date with: cargo xtask schema")
}

fn run_schema(option: &str) -> Result<()> {
    Step::cargo(&["run", "--quiet", "--locked", "-p", "agent-cli", "--", "schema", option])
        .with_arguments(&[SCHEMA_FOLDER])
        .run()
}

/// Runs what has to pass before a change lands.
pub(crate) fn ci() -> Result<()> {
    lint()?;
    test(&[])
}

/// Measures the server that users get: the benchmark program starts the release binary.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    tools::require("bench")?;
    // `cargo xtask bench -- ARGS` is a habit from other commands; it means the same.
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    Step::cargo(&["build", "--release", "--locked", "-p", "agent-cli"]).run()?;
    Step::cargo(&["run", "--release", "--locked", "-p", "agent-tests", "--bin", "bench", "--"])
        .with_arguments(arguments)
        .run()
}
