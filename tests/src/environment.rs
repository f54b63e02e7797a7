//! Programs in other languages with their pinned packages, installed once and shared by all tests.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Error, Result, ensure};
use tokio::time::timeout;

use crate::server::Ended;

/// A program does many things one after another, so it may take longer than anything else that a test waits for.
const DEADLINE: Duration = Duration::from_secs(600);

/// A language, and how to check that it is installed.
#[derive(Debug)]
pub struct Language {
    /// Prints its version, and fails if it is missing or too old.
    probe: &'static str,
    /// The message if it is missing.
    missing: &'static str,
}

/// Python with support for virtual environments.
pub const PYTHON: Language = Language {
    probe: "python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11) or print(sys.version))'",
    missing: "Python 3.11 or later with its module `venv` is missing; tests of clients need it: install it with \
              `apt-get install python3-venv` (Debian, Ubuntu), `dnf install python3` (Fedora) or \
              `brew install python` (macOS).",
};

/// Node.js.
pub const JAVASCRIPT: Language = Language {
    probe: "node -e 'console.log(process.version); process.exit(parseInt(process.version.slice(1)) < 18 ? 1 : 0)'",
    missing: "Node.js 18 or later is missing; tests of clients need it: install it and npm with \
              `apt-get install nodejs npm` (Debian, Ubuntu), `dnf install nodejs npm` (Fedora) or `brew install node` \
              (macOS).",
};

/// Files, and commands that build something from them. The result is kept until a file or a command changes.
#[derive(Debug)]
pub struct Stage {
    /// The source of each file, and its destination below the environment's folder.
    pub files: Vec<(PathBuf, PathBuf)>,
    /// The shell commands to run then.
    pub commands: Vec<&'static str>,
}

/// How to build an environment.
#[derive(Debug)]
pub struct Recipe<'a> {
    /// Its folder, which no other recipe has.
    pub folder: &'a Path,
    /// Where in the folder commands and programs run.
    pub workdir: &'a str,
    /// Its language.
    pub language: &'a Language,
    /// The stages, each of which uses the previous ones.
    pub stages: Vec<Stage>,
}

/// An environment that is ready. As long as it lives, no other process changes its folder.
#[derive(Debug)]
pub struct Environment {
    workdir: PathBuf,
    _lock: File,
}

impl Recipe<'_> {
    /// Builds what is missing or outdated. Processes that need the same environment wait for the one that builds it.
    ///
    /// # Errors
    /// If the language is missing, or a command fails.
    pub fn prepare(&self) -> Result<Environment> {
        fs::create_dir_all(self.folder.join(self.workdir))?;
        let path = self.folder.join("lock");
        loop {
            let lock = File::create(&path)?;
            lock.lock_shared()?;
            let wanted = self.wanted()?;
            if (0..).zip(&wanted).all(|(number, text)| self.is_made(number, text)) {
                return Ok(Environment { workdir: self.folder.join(self.workdir), _lock: lock });
            }
            drop(lock);
            // Another process may have been faster; then nothing is left to do.
            let lock = File::create(&path)?;
            lock.lock()?;
            for (number, text) in (0..).zip(&wanted).skip_while(|(number, text)| self.is_made(*number, text))
            {
                self.make(number, text)?;
            }
        }
    }

    /// The stamp of each stage when it is up to date: everything that it is built from, including the previous stages.
    fn wanted(&self) -> Result<Vec<String>> {
        let version =
            shell(self.language.probe, self.folder).map_err(|_| Error::msg(self.language.missing))?;
        // Installed files contain the paths of the language's program and of the folder.
        let mut text = format!("{version}{}\n", self.folder.display());
        let mut wanted = Vec::new();
        for stage in &self.stages {
            for (from, to) in &stage.files {
                let file =
                    fs::read_to_string(from).with_context(|| format!("could not read {}", from.display()))?;
                text += &format!("{}\n{file}", to.display());
            }
            text += &stage.commands.join("\n");
            wanted.push(text.clone());
        }
        Ok(wanted)
    }

    fn stamp(&self, number: usize) -> PathBuf {
        self.folder.join(format!("made-{number}"))
    }

    fn is_made(&self, number: usize, wanted: &str) -> bool {
        fs::read_to_string(self.stamp(number)).is_ok_and(|made| made == wanted)
    }

    fn make(&self, number: usize, wanted: &str) -> Result<()> {
        // A partly built stage counts as not built.
        fs::write(self.stamp(number), "")?;
        let stage = &self.stages[number];
        for (from, to) in &stage.files {
            let to = self.folder.join(to);
            fs::create_dir_all(to.parent().context("a file is in a folder")?)?;
            fs::copy(from, &to).with_context(|| format!("could not copy {}", from.display()))?;
        }
        for command in &stage.commands {
            shell(command, &self.folder.join(self.workdir))?;
        }
        Ok(fs::write(self.stamp(number), wanted)?)
    }
}

impl Environment {
    /// The path of a file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.workdir.join(name)
    }

    /// Runs a program to its end, with these variables in addition to those of this process.
    ///
    /// # Panics
    /// If it cannot be started, or does not end.
    pub async fn run(&self, program: &[&str], arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let mut command = tokio::process::Command::new(program[0]);
        command.args(&program[1..]).args(arguments).current_dir(&self.workdir);
        // Local connections must not use a proxy.
        command.env("no_proxy", "*").envs(variables.iter().copied());
        let output = timeout(DEADLINE, command.stdin(Stdio::null()).kill_on_drop(true).output()).await;
        let output = output.unwrap_or_else(|_| panic!("{program:?} has not ended after {DEADLINE:?}"));
        let output = output.expect("the program can be started");
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn shell(command: &str, folder: &Path) -> Result<String> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).current_dir(folder).stdin(Stdio::null());
    let output = shell.output().context("could not start the shell")?;
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    ensure!(output.status.success(), "`{command}` failed:\n{said}{complained}");
    Ok(said.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_LANGUAGE: Language = Language { probe: "echo 1", missing: "there is no shell" };

    /// Each run of the command adds a line to a file.
    fn recipe(folder: &Path) -> Recipe<'_> {
        let stage = |name: &str, command| Stage {
            files: vec![(folder.join(name), Path::new("copied").join(name))],
            commands: vec![command],
        };
        let stages = vec![stage("first", "echo first >>made"), stage("second", "cat copied/second >>made")];
        Recipe { folder, workdir: "", language: &NO_LANGUAGE, stages }
    }

    #[test]
    fn prepare__files_that_change__makes_what_depends_on_them() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let made = || fs::read_to_string(folder.path().join("made"));
        fs::write(folder.path().join("first"), "1\n")?;
        fs::write(folder.path().join("second"), "a\n")?;
        let recipe = recipe(folder.path());
        // Two can use it at the same time, and the second one finds it built.
        let both = [recipe.prepare()?, recipe.prepare()?];
        assert_eq!(made()?, "first\na\n");
        drop(both);
        fs::write(folder.path().join("second"), "b\n")?;
        drop(recipe.prepare()?);
        assert_eq!(made()?, "first\na\nb\n");
        fs::write(folder.path().join("first"), "2\n")?;
        drop(recipe.prepare()?);
        assert_eq!(made()?, "first\na\nb\nfirst\nb\n");
        Ok(())
    }

    #[test]
    fn prepare__command_that_fails__is_tried_again() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let stages = vec![Stage { files: Vec::new(), commands: vec!["echo tried >>made", "test -e good"] }];
        let recipe = Recipe { folder: folder.path(), workdir: "", language: &NO_LANGUAGE, stages };
        let error = recipe.prepare().map(|_| ()).map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("`test -e good` failed")));
        fs::write(folder.path().join("good"), "")?;
        drop(recipe.prepare()?);
        assert_eq!(fs::read_to_string(folder.path().join("made"))?, "tried\ntried\n");
        Ok(())
    }
}
