//! Installs servers from the package registries, each in a folder of its own.

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use agent_tests::environment::{JAVASCRIPT, PYTHON, Recipe, Stage};
use anyhow::{Context, Result};

use super::Failure;
use super::contender::{Contender, Packages};

/// The folder with the agents and the pinned versions.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rivals");

/// Installs what the servers need, all at once; returns what could not be installed.
pub(crate) fn all(contenders: &[Box<dyn Contender>], cache: &Path) -> Vec<Failure> {
    let mut needed: Vec<Packages> = Vec::new();
    for packages in contenders.iter().filter_map(|contender| contender.packages()) {
        if !needed.contains(&packages) {
            needed.push(packages);
        }
    }
    thread::scope(|scope| {
        let installations: Vec<_> =
            needed.iter().map(|packages| scope.spawn(|| announced(*packages, cache))).collect();
        installations
            .into_iter()
            .filter_map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

/// Installs packages, says so, and returns the failure if there is one.
fn announced(packages: Packages, cache: &Path) -> Option<Failure> {
    let started = Instant::now();
    let failure = install(packages, cache).err().map(|error| Failure {
        name: packages.folder().to_owned(),
        reason: format!("could not be installed: {error:#}"),
    });
    match &failure {
        None => eprintln!("{} is installed ({:.0} s)", packages.folder(), started.elapsed().as_secs_f32()),
        Some(failure) => eprintln!("{failure}"),
    }
    failure
}

fn install(packages: Packages, cache: &Path) -> Result<()> {
    let source = Path::new(SOURCES).join(packages.folder());
    let (language, pins, commands) = match packages {
        Packages::Python(_) => {
            // The pins include all dependencies.
            let pip = ".venv/bin/pip install --quiet --no-compile --no-deps -r requirements.txt";
            (&PYTHON, &["requirements.txt"][..], vec!["rm -rf .venv", "python3 -m venv .venv", pip])
        }
        Packages::JavaScript(_) => {
            (&JAVASCRIPT, &["package.json", "package-lock.json"][..], vec!["npm ci --silent"])
        }
    };
    let pins: Vec<_> = pins.iter().map(|name| (source.join(name), PathBuf::from(name))).collect();
    let folder = folder(packages, cache);
    let stages = vec![
        Stage { files: pins.clone(), commands },
        Stage { files: agent_files(&source, &pins)?, commands: Vec::new() },
    ];
    Recipe { folder: &folder, workdir: "", language, stages }.prepare().map(drop)
}

/// The agent, and what all Python agents share.
fn agent_files(source: &Path, pins: &[(PathBuf, PathBuf)]) -> Result<Vec<(PathBuf, PathBuf)>> {
    let words = Path::new(SOURCES).join("words.py");
    let mut files = vec![(words, PathBuf::from("words.py"))];
    let entries = source.read_dir().with_context(|| format!("could not read {}", source.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_file() && !pins.iter().any(|(pin, _)| *pin == path) {
            let name = path.file_name().context("a file has a name")?;
            files.push((path.clone(), PathBuf::from(name)));
        }
    }
    files.sort();
    Ok(files)
}

/// Where packages are installed.
pub(crate) fn folder(packages: Packages, cache: &Path) -> PathBuf {
    cache.join(packages.folder())
}
