//! The versions of Python on this machine, which need not be the ones that the package supports.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The versions that the package has to work with: 3.10 and so on.
pub const SUPPORTED: [&str; 4] = ["3.10", "3.11", "3.12", "3.13"];

/// An interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    /// Its version, without the last number.
    pub version: String,
    /// The program itself, not a script or a link that chooses one.
    pub path: PathBuf,
}

/// An interpreter of each supported version that pyenv has installed or that is on the `PATH`. If there is none, `python3`,
/// whatever its version is.
///
/// # Panics
/// If that is missing, too.
pub fn all() -> Vec<Python> {
    let found: Vec<Python> = SUPPORTED.iter().filter_map(|version| of_version(version)).collect();
    if !found.is_empty() {
        return found;
    }
    let usual = probe(Path::new("python3"));
    vec![usual.unwrap_or_else(|| panic!("there is no Python: install one of {}", SUPPORTED.join(", ")))]
}

/// The supported versions that are not among these.
pub fn missing(found: &[Python]) -> Vec<&'static str> {
    let is_missing = |version: &&str| found.iter().all(|python| python.version != *version);
    SUPPORTED.into_iter().filter(is_missing).collect()
}

fn of_version(version: &str) -> Option<Python> {
    let name = format!("python{version}");
    // pyenv's first: its scripts on the `PATH` are slow, and they may lead nowhere.
    let mut paths: Vec<PathBuf> =
        of_pyenv(version).iter().map(|folder| folder.join("bin").join(&name)).collect();
    paths.push(name.into());
    paths.iter().filter_map(|path| probe(path)).find(|found| found.version == version)
}

/// The folders of a version that pyenv has installed.
#[expect(clippy::disallowed_methods, reason = "where programs are is a matter of the environment")]
fn of_pyenv(version: &str) -> Vec<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".pyenv")));
    let Some(folders) = root.and_then(|root| fs::read_dir(root.join("versions")).ok()) else {
        return Vec::new();
    };
    let start = format!("{version}.");
    let names = folders.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<PathBuf> = names
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start)))
        .collect();
    found.sort();
    found
}

/// What this program says of itself.
fn probe(program: &Path) -> Option<Python> {
    let question = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable, sep='\\n')";
    let output =
        Command::new(program).args(["-I", "-S", "-c", question]).stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let (version, path) = said.trim().split_once('\n')?;
    Some(Python { version: version.to_owned(), path: path.into() })
}
