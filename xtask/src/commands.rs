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
    // That it compiles without its features, too. The end-to-end tests would switch them on for everybody, and with the
    // tests of the others most dependencies would be compiled once more.
    Step::cargo(&["clippy", "--workspace", "--no-default-features", "--exclude", "agent-tests", "--locked"])
        .with_arguments(&deny_warnings)
        .run()?;
    // The examples, too: with them, dependencies have the features that clippy checked them with.
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

/// Writes the schemas of the wire types; those of types that are gone are removed.
pub(crate) fn schema() -> Result<()> {
    run_schema("--out")
}

/// Fails if the schemas of the wire types are out of date.
pub(crate) fn check_schema() -> Result<()> {
    run_schema("--check").context("bring them up to date with: cargo xtask schema")
}

fn run_schema(option: &str) -> Result<()> {
    Step::program(&test::server()?, &["schema", option, SCHEMA_FOLDER]).run()
}

/// Runs what has to pass before a change lands, or that and many more rounds of what is random.
pub(crate) fn ci(effort: Effort) -> Result<()> {
    lint()?;
    test::all(effort)
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
