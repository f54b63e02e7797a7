//! Checks all dependencies with cargo-deny, which reads `deny.toml`.

use anyhow::Result;

use crate::steps::{Step, output_of};

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// Checks licenses, bans, sources and known vulnerabilities.
pub(crate) fn run() -> Result<()> {
    install_if_missing()?;
    // `deny.toml` says who may use a crate; that one of them does not is no reason for a warning.
    Step::cargo(&["deny", "--locked", "check", "--allow", "unused-wrapper"])
        .with_arguments(&["licenses", "bans", "sources"])
        .run()?;
    check_advisories()
}

fn install_if_missing() -> Result<()> {
    match output_of("cargo", &["deny", "--version"]) {
        Err(_) => {
            println!("\ncargo-deny is not installed; installing version {VERSION} takes some minutes.");
            Step::cargo(&["install", "--locked", "cargo-deny", "--version", VERSION]).run()
        }
        Ok(output) => {
            let found = version_in(&output);
            if found != VERSION {
                println!("\nUsing cargo-deny {found}; `deny.toml` is written for {VERSION}.");
            }
            Ok(())
        }
    }
}

/// Fetching is a separate first step, so that an unreachable database can be distinguished from a
/// dependency with a known vulnerability: the first is reported, the second is a failure.
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

/// `cargo deny --version` prints the name and the version.
fn version_in(output: &str) -> &str {
    output.split_whitespace().last().unwrap_or("of unknown version")
}

fn last_line(text: &str) -> &str {
    text.trim().lines().last().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version__is_the_last_word() {
        assert_eq!(version_in("cargo-deny 0.20.2\n"), "0.20.2");
    }
}
