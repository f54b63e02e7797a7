//! Programs in other languages with the packages that they pin, installed once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use agent_tests::within;
use anyhow::{Context, Error, Result, ensure};

/// A language: how its packages are installed and its programs run.
struct Language {
    /// Prints its version, and fails if it is missing or too old.
    probe: &'static str,
    /// One sentence for whoever lacks it.
    missing: &'static str,
    /// Installs the pinned packages, in a folder that has the files which pin them.
    install: &'static [&'static str],
    /// The program that runs others.
    interpreter: &'static str,
}

const PYTHON: Language = Language {
    probe: "python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11) or print(sys.version))'",
    missing: "Python 3.11 or later with its module `venv` is missing, which OpenAI's clients are tested with: install it \
              with `apt-get install python3-venv` (Debian, Ubuntu), `dnf install python3` (Fedora) or \
              `brew install python` (macOS).",
    install: &["python3 -m venv .venv", ".venv/bin/pip install --quiet -r requirements.txt"],
    interpreter: ".venv/bin/python",
};

const JAVASCRIPT: Language = Language {
    probe: "npm --version && node -e 'console.log(process.version); process.exit(parseInt(process.version.slice(1)) < 18 ? 1 : 0)'",
    missing: "Node.js 18 or later with npm is missing, which OpenAI's clients are tested with: install it with \
              `apt-get install nodejs npm` (Debian, Ubuntu), `dnf install nodejs npm` (Fedora) or `brew install node` \
              (macOS).",
    install: &["npm ci --silent"],
    interpreter: "node",
};

/// Runs a Python program beside this file, with the packages that `{packages}.txt` pins; gives what it printed.
///
/// # Panics
/// If it fails.
pub(crate) async fn python(packages: &str, program: &str, arguments: &[&str]) -> String {
    let pins = [(format!("{packages}.txt"), "requirements.txt")];
    run(&PYTHON, packages, &pins, program, arguments).await
}

/// The same for a program for Node.js, with the packages of `package.json`.
///
/// # Panics
/// If it fails.
pub(crate) async fn javascript(program: &str, arguments: &[&str]) -> String {
    let pins = ["package.json", "package-lock.json"].map(|name| (name.to_owned(), name));
    run(&JAVASCRIPT, "javascript", &pins, program, arguments).await
}

async fn run(
    language: &Language,
    name: &str,
    pins: &[(String, &str)],
    program: &str,
    arguments: &[&str],
) -> String {
    let prepared = prepare(language, name, pins).and_then(|(folder, lock)| {
        // Node.js looks for packages from where the program is.
        fs::copy(source().join(program), folder.join(program)).with_context(|| format!("no {program}"))?;
        Ok((folder, lock))
    });
    let (folder, _lock) = prepared.unwrap_or_else(|error| panic!("{name} cannot be prepared: {error:#}"));
    let mut command = tokio::process::Command::new(language.interpreter);
    command.arg(program).args(arguments).current_dir(&folder).stdin(Stdio::null()).kill_on_drop(true);
    // A proxy is for other machines.
    command.env("no_proxy", "*");
    let output = within(program, command.output()).await.expect("it can be started");
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{program} with {name} failed:\n{said}{complained}");
    said.into_owned()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdks")
}

/// Installs the pinned packages unless they are there. The lock keeps other processes away from the folder.
fn prepare(language: &Language, name: &str, pins: &[(String, &str)]) -> Result<(PathBuf, File)> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdks").join(name);
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let version = shell(language.probe, &folder).map_err(|_| Error::msg(language.missing))?;
    // What is installed names the language's own program, and the folder.
    let mut wanted = format!("{version}{}\n", folder.display());
    for (pin, copy) in pins {
        let text = fs::read_to_string(source().join(pin)).with_context(|| format!("no {pin}"))?;
        fs::write(folder.join(copy), &text)?;
        wanted += &text;
    }
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok((folder, lock));
    }
    for command in language.install {
        shell(command, &folder)?;
    }
    fs::write(stamp, wanted)?;
    Ok((folder, lock))
}

fn shell(command: &str, folder: &Path) -> Result<String> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).current_dir(folder).stdin(Stdio::null());
    let output = shell.output().context("the shell cannot be started")?;
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    ensure!(output.status.success(), "`{command}` failed:\n{said}{complained}");
    Ok(said.into_owned())
}
