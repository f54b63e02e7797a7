//! Rules that no lint can state: which crates and modules may use which others, and the form of source files.

mod arrows;
mod circles;
mod lints;
mod old_names;
mod sources;
mod test_names;

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use self::arrows::Package;
use crate::steps::{output_of, took, workspace_root};

/// The rules about resolved features check this platform only, so that the crates of other platforms are not downloaded
/// just to be checked.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// A location that breaks a rule, and a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    message: String,
}

impl Violation {
    fn new(path: &str, line: usize, message: String) -> Self {
        Self { path: path.to_owned(), line, message }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Checks every rule and prints every violation.
pub(crate) fn run() -> Result<()> {
    println!("\n==> cargo xtask tidy");
    let start = Instant::now();
    let violations = violations()?;
    for violation in &violations {
        println!("{violation}");
    }
    took("cargo xtask tidy", start.elapsed());
    let count = violations.len();
    ensure!(
        count == 0,
        "{count} places break a rule (listed above). After fixing them, run: cargo xtask tidy"
    );
    Ok(())
}

fn violations() -> Result<Vec<Violation>> {
    let metadata = metadata(&["--no-deps"])?;
    let packages = arrows::packages(&metadata)?;
    let mut violations = broken_manifests(&packages)?;
    violations.extend(import_circles(&packages)?);
    violations.extend(broken_features()?);
    violations.extend(broken_sources()?);
    violations.sort();
    violations.dedup();
    Ok(violations)
}

fn broken_manifests(packages: &[Package]) -> Result<Vec<Violation>> {
    let mut violations = Vec::from_iter(lints::check_workspace("Cargo.toml", &read("Cargo.toml")?));
    for package in packages {
        let (path, manifest) = (relative(&package.manifest_path), read(&package.manifest_path)?);
        violations.extend(arrows::check(package, &path, &manifest));
        violations.extend(lints::check_package(&path, &manifest));
    }
    Ok(violations)
}

fn import_circles(packages: &[Package]) -> Result<Vec<Violation>> {
    let read_if_there = |path: &str| {
        let is_there = workspace_root().join(path).exists();
        is_there.then(|| read(path)).transpose()
    };
    let roots = packages.iter().flat_map(|package| &package.roots);
    let checked = roots.map(|root| circles::check(&relative(root), &read_if_there));
    Ok(checked.collect::<Result<Vec<_>>>()?.concat())
}

fn broken_features() -> Result<Vec<Violation>> {
    let metadata = metadata(&["--all-features", "--locked", "--filter-platform", PLATFORM])?;
    let manifest = read("Cargo.toml")?;
    arrows::check_serde_json(&metadata, "Cargo.toml", &manifest)
}

fn broken_sources() -> Result<Vec<Violation>> {
    // Includes files that are not added to Git yet, so that violations are found before a commit.
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.rs"];
    let listing = output_of("git", &arguments)?;
    let mut violations = Vec::new();
    for path in listing.split_terminator('\0') {
        // A file that was deleted and not yet committed is still listed.
        if workspace_root().join(path).exists() {
            let text = read(path)?;
            violations.extend(sources::check(path, &text));
            violations.extend(test_names::check(path, &text));
            violations.extend(old_names::check(path, &text));
        }
    }
    Ok(violations)
}

fn metadata(arguments: &[&str]) -> Result<Value> {
    let output = output_of("cargo", &[&["metadata", "--format-version", "1"], arguments].concat())?;
    serde_json::from_str(&output).context("the output of `cargo metadata` is not JSON")
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(workspace_root().join(path)).with_context(|| format!("could not read {path}"))
}

fn relative(path: &str) -> String {
    let path = Path::new(path);
    path.strip_prefix(workspace_root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspace__is_tidy() -> Result<()> {
        let violations: Vec<String> = violations()?.iter().map(Violation::to_string).collect();
        assert!(violations.is_empty(), "{}", violations.join("\n"));
        Ok(())
    }
}
