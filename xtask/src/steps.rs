//! One step of a command: it is printed, timed, and printed again if it fails.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// A command that is run from the root of the workspace, with its output on the terminal.
pub(crate) struct Step {
    environment: Vec<(&'static str, String)>,
    program: PathBuf,
    arguments: Vec<String>,
}

/// The steps that have been run, with the time that each took.
static TAKEN: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());

impl Step {
    /// A step that runs cargo with these arguments.
    pub(crate) fn cargo(arguments: &[&str]) -> Self {
        Self::program(Path::new("cargo"), arguments)
    }

    /// A step that runs this program with these arguments.
    pub(crate) fn program(program: &Path, arguments: &[&str]) -> Self {
        let step = Self { environment: Vec::new(), program: program.to_owned(), arguments: Vec::new() };
        step.with_arguments(arguments)
    }

    /// Adds arguments at the end.
    pub(crate) fn with_arguments(mut self, arguments: &[impl AsRef<str>]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable for this step alone.
    pub(crate) fn with_environment(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Runs the step, and fails with the command that repeats it.
    pub(crate) fn run(self) -> Result<()> {
        println!("\n==> {self}");
        let start = Instant::now();
        let mut command = Command::new(&self.program);
        // Cargo's variables about this program's own package. Build scripts of dependencies read variables with these
        // names, and would run again whenever cargo is started from here instead of by hand.
        let of_xtask = |name: &OsString| {
            let name = name.to_string_lossy();
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        };
        for name in env::vars_os().map(|(name, _)| name).filter(of_xtask) {
            command.env_remove(name);
        }
        let status = command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(workspace_root())
            .status()
            .with_context(|| format!("could not start `{self}`"))?;
        took(&self.to_string(), start.elapsed());
        ensure!(status.success(), "this step failed ({status}). Repeat it with: {self}");
        Ok(())
    }
}

/// The command as a person would type it.
impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(out, "{name}={} ", quoted(value))?;
        }
        write!(out, "{}", quoted(&self.program.to_string_lossy()))?;
        for argument in &self.arguments {
            write!(out, " {}", quoted(argument))?;
        }
        Ok(())
    }
}

/// Prints how long a step took, and records it for [`print_times`].
pub(crate) fn took(step: &str, time: Duration) {
    println!("<== {:.1} s: {step}", time.as_secs_f32());
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner).push((step.to_owned(), time));
}

/// Prints how long each step took, if there were several.
pub(crate) fn print_times() {
    let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if taken.len() < 2 {
        return;
    }
    println!("\nTime of each step:");
    for (step, time) in taken.iter() {
        println!("{:8.1} s  {step}", time.as_secs_f32());
    }
    let total: Duration = taken.iter().map(|(_, time)| *time).sum();
    println!("{:8.1} s  in total", total.as_secs_f32());
}

/// Runs a program from the root of the workspace and returns what it printed.
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Result<String> {
    let shown = format!("{program} {}", arguments.join(" "));
    let output = Command::new(program)
        .args(arguments)
        .current_dir(workspace_root())
        .output()
        .with_context(|| format!("could not start `{shown}`"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{shown}` failed: {}", complaint.trim());
    String::from_utf8(output.stdout).with_context(|| format!("the output of `{shown}` is not UTF-8"))
}

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn workspace_root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step__display__is_the_command_line() {
        let step = Step::cargo(&["doc", "--locked"])
            .with_environment("RUSTDOCFLAGS", "-D warnings")
            .with_arguments(&["it's"]);
        assert_eq!(step.to_string(), r"RUSTDOCFLAGS='-D warnings' cargo doc --locked 'it'\''s'");
    }
}
