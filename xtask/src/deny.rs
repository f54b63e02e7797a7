//! Checks all dependencies with cargo-deny, which reads `deny.toml`.

use anyhow::Result;

use crate::steps::{Step, output_of};
use crate::tools::Subcommand;

/// `deny.toml` is written for this version.
const DENY: Subcommand = Subcommand { name: "deny", package: "cargo-deny", version: "0.20.2", install: &[] };

/// Checks licenses, bans, sources and known vulnerabilities.
pub(crate) fn run() -> Result<()> {
    DENY.require()?;
    // `deny.toml` lists the crates that may use another one; no warning is needed if one of them does not.
    Step::cargo(&["deny", "--locked", "check", "--allow", "unused-wrapper"])
        .with_arguments(&["licenses", "bans", "sources"])
        .run()?;
    check_advisories()
}

/// Fetches the database first, in a separate step, to distinguish a machine that cannot reach it, which is only reported,
/// from a dependency with a known vulnerability, which is a failure.
fn check_advisories() -> Result<()> {
    if let Err(error) = output_of("cargo", &["deny", "fetch", "db"]) {
        eprintln!(
            "\nThe database of known vulnerabilities could not be fetched, so dependencies were not checked \
             against it; run `cargo deny check advisories` on a machine that can reach it. ({})",
            last_line(&format!("{error:#}"))
        );
        return Ok(());
    }
    Step::cargo(&["deny", "--locked", "check", "advisories"]).run()
}

fn last_line(text: &str) -> &str {
    text.trim().lines().last().unwrap_or(text)
}
