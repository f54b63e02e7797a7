//! Client libraries in the versions that are pinned here, each in a folder of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use agent_tests::within;
use anyhow::{Context, Result, ensure};

/// A folder with libraries; no other process changes it while this lives.
#[derive(Debug)]
pub(crate) struct Tools {
    folder: PathBuf,
    _lock: File,
}

impl Tools {
    /// Python with what a file of requirements names.
    pub(crate) fn python(requirements: &str) -> Self {
        let name = requirements.trim_end_matches(".txt");
        let install =
            "python3 -m venv .venv && .venv/bin/pip install --disable-pip-version-check -r requirements.txt";
        prepare(name, &[("openai-python", requirements, "requirements.txt")], install)
    }

    /// Node.js with what its package names.
    pub(crate) fn node() -> Self {
        let files = ["package.json", "package-lock.json", "responses.mjs"];
        prepare("openai-node", &files.map(|file| ("openai-node", file, file)), "npm ci")
    }

    /// Runs a program to its end.
    ///
    /// # Panics
    /// If it fails: what it printed says why.
    pub(crate) async fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = match program {
            "node" => tokio::process::Command::new("node"),
            _ => tokio::process::Command::new(self.folder.join(program)),
        };
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null()).kill_on_drop(true);
        // A proxy is for other machines.
        command.env("no_proxy", "*");
        let output = within("the client to end", command.output()).await.expect("it can be started");
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?} failed:\n{stdout}{stderr}");
        stdout.into_owned()
    }
}

fn prepare(name: &str, files: &[(&str, &str, &str)], install: &str) -> Tools {
    try_prepare(name, files, install).unwrap_or_else(|error| panic!("{name} cannot be set up: {error:#}"))
}

/// Copies the files and installs what they name, unless that was done before.
fn try_prepare(name: &str, files: &[(&str, &str, &str)], install: &str) -> Result<Tools> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    let folder = root.join(name);
    fs::create_dir_all(&folder)?;
    let lock = File::create(root.join(format!("{name}.lock")))?;
    lock.lock()?;
    let mut pinned = install.to_owned();
    for (from, file, to) in files {
        let path = source.join(from).join(file);
        pinned += &fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        fs::copy(&path, folder.join(to))?;
    }
    let stamp = root.join(format!("{name}.installed"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == pinned) {
        return Ok(Tools { folder, _lock: lock });
    }
    let output =
        Command::new("sh").args(["-c", install]).current_dir(&folder).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{install}` failed:\n{said}");
    fs::write(&stamp, pinned)?;
    Ok(Tools { folder, _lock: lock })
}

/// The path of a program that runs where it stands.
pub(crate) fn program(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name).display().to_string()
}
