//! What each command runs, step by step.

use anyhow::{Context, Result};

use crate::steps::Step;
use crate::test::{self, Effort, WORKSPACE};
use crate::{deny, tidy, tools};

/// Checks everything that can be checked without running the project.
pub(crate) fn lint() -> Result<()> {
    tools::require("lint")?;
    Step::cargo(&["fmt", "--all", "--check"]).run()?;
    let deny_warnings = ["--", "-D", "warnings"];
    Step::cargo(&["clippy", "--all-targets"])
        .with_arguments(&WORKSPACE)
        .with_arguments(&deny_warnings)
        .run()?;
    // It must also compile without its features. The end-to-end tests would enable them for all crates, and with the tests
    // of the other crates most dependencies would be compiled once more.
    Step::cargo(&["clippy", "--workspace", "--no-default-features", "--exclude", "agent-tests", "--locked"])
        .with_arguments(&deny_warnings)
        .run()?;
    // Includes the examples, so that dependencies have the same features as for clippy.
    Step::cargo(&["doc", "--no-deps", "--lib", "--bins", "--examples"])
        .with_arguments(&WORKSPACE)
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
    run_schema("--check").context("update them with: cargo xtask schema")
}

fn run_schema(option: &str) -> Result<()> {
    Step::program(&test::server()?, &["schema", option, SCHEMA_FOLDER]).run()
}

/// Runs the checks that have to pass before a change is merged; with full effort, many more rounds of the tests with random
/// input.
pub(crate) fn ci(effort: Effort) -> Result<()> {
    lint()?;
    test::all(effort)
}

/// Measures the server as it is deployed: the benchmark program starts the binary of the profile `dist`.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    tools::require("bench")?;
    // Also accepts `cargo xtask bench -- ARGS`, as other commands do.
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    Step::cargo(&["build", "--profile", "dist", "--locked", "-p", "agent-cli"]).run()?;
    Step::cargo(&["run", "--profile", "dist", "--locked", "-p", "agent-tests", "--bin", "bench", "--"])
        .with_arguments(arguments)
        .run()
}
