//! One step of a command: what it runs is shown, timed, and named again when it fails.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

/// A cargo command that is run from the root of the workspace, with its output on the terminal.
pub(crate) struct Step {
    environment: Vec<(&'static str, &'static str)>,
    arguments: Vec<String>,
}

impl Step {
    /// A step that runs cargo with these arguments.
    pub(crate) fn cargo(arguments: &[&str]) -> Self {
        Self { environment: Vec::new(), arguments: Vec::new() }.with_arguments(arguments)
    }

    /// Adds arguments at the end.
    pub(crate) fn with_arguments(mut self, arguments: &[impl AsRef<str>]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable for this step alone.
    pub(crate) fn with_environment(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// Runs the step, and fails with the command that repeats it.
    pub(crate) fn run(self) -> Result<()> {
        println!("\n==> {self}");
        let start = Instant::now();
        let status = Command::new("cargo")
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .current_dir(workspace_root())
            .status()
            .with_context(|| format!("could not start `{self}`"))?;
        println!("<== cargo {} took {:.1} s", self.arguments[0], start.elapsed().as_secs_f32());
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
        write!(out, "cargo")?;
        for argument in &self.arguments {
            write!(out, " {}", quoted(argument))?;
        }
        Ok(())
    }
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
