//! The project's commands: `cargo xtask --help` lists them.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is its job")]
#![expect(clippy::disallowed_methods, reason = "it passes its environment on to the commands that it runs")]
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

mod commands;
mod deny;
mod steps;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::test::Effort;

const HELP: &str = "\
The project's commands.

Usage: cargo xtask <command> [arguments]

  test             Run every test, doc tests included, with cargo-nextest, which is
                   installed on first use (some minutes). Print the slowest ones.
  test -- ARGS     Build and run the tests that ARGS select: `cargo xtask test -- resume`
                   those with `resume` in their names or in those of their modules,
                   without doc tests. `--exact`, `--skip NAME` and `--nocapture` work.
  lint             Check formatting, clippy (all features and no default features),
                   the documentation, the rules of `tidy`, and all dependencies with
                   cargo-deny, which is installed on first use (some minutes).
  ci               Run `lint`, then `test`.
  ci --full        The same with many more rounds of the tests with random input;
                   takes hours. AGENT_TEST_ROUNDS sets the number of rounds.
  tidy             Check the rules that no lint can state: which crate may depend on
                   which, that no modules import each other in a circle, that every
                   crate uses the workspace's lints, and the form of source files.
  schema           Write the JSON Schemas of the wire types to docs/reference/schema.
  schema --check   Fail if they are out of date, and say what the difference breaks;
                   `lint` also does this.
  bench [ARGS]     Build the server with the profile `dist` and measure it. `bench pace`
                   measures many streams at the pace of models (25 minutes; see
                   `bench pace --help`). `bench services` measures the stores; it
                   compares with the Python project if Python is there. Measuring
                   Redis needs `redis-server`. `bench workers` measures agents in
                   Python. `bench rivals` installs other agent servers and measures
                   them beside this one; it needs Python, npm and the network. ARGS
                   go to the benchmark program.
  help, --help     Print this text.

A command stops at its first failing step and prints how to repeat that step alone.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = run(&arguments);
    steps::print_times();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(());
    };
    match (command.as_str(), rest) {
        ("help" | "-h" | "--help", _) => print!("{HELP}"),
        // Not for `bench`: its arguments belong to the benchmark program, which has a help text of its own.
        ("test" | "lint" | "ci" | "tidy" | "schema", [flag]) if flag == "-h" || flag == "--help" => {
            print!("{HELP}")
        }
        ("test", []) => test::all(Effort::Usual)?,
        ("test", [separator, rest @ ..]) if separator == "--" => test::some(rest)?,
        ("test", [unexpected, ..]) => {
            bail!("arguments for the test programs follow `--`, as in `cargo xtask test -- {unexpected}`")
        }
        ("lint", []) => commands::lint()?,
        ("ci", []) => commands::ci(Effort::Usual)?,
        ("ci", [flag]) if flag == "--full" => commands::ci(Effort::Full)?,
        ("ci", _) => bail!("`cargo xtask ci` takes only the argument `--full`"),
        ("tidy", []) => tidy::run()?,
        ("lint" | "tidy", [unexpected, ..]) => {
            bail!("`cargo xtask {command}` takes no arguments, but got `{unexpected}`")
        }
        ("schema", []) => commands::schema()?,
        ("schema", [flag]) if flag == "--check" => commands::check_schema()?,
        ("schema", _) => bail!("`cargo xtask schema` takes only the argument `--check`"),
        ("bench", rest) => commands::bench(rest)?,
        _ => bail!("there is no command `{command}`; `cargo xtask --help` lists them"),
    }
    Ok(())
}
