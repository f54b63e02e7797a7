//! Installs subcommands of cargo.

use anyhow::Result;

use crate::steps::{Step, output_of};

/// A subcommand of cargo that is a separate package.
pub(crate) struct Subcommand {
    /// Its name after `cargo` on the command line.
    pub(crate) name: &'static str,
    /// The package that has it.
    pub(crate) package: &'static str,
    /// The version that this project is written for.
    pub(crate) version: &'static str,
    /// Additional arguments for `cargo install`.
    pub(crate) install: &'static [&'static str],
}

impl Subcommand {
    /// Installs the subcommand if it is missing. If another version is installed, prints that and uses it.
    ///
    /// # Errors
    /// If the installation fails.
    pub(crate) fn require(&self) -> Result<()> {
        let Subcommand { package, version, .. } = self;
        match output_of("cargo", &[self.name, "--version"]) {
            Err(_) => {
                println!(
                    "\n{package} is not installed; compiling version {version} takes some minutes, once."
                );
                // It runs only for seconds, so fast compilation matters more than its speed.
                Step::cargo(&["install", "--locked", package, "--version", version])
                    .with_arguments(self.install)
                    .with_environment("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
                    .with_environment("CARGO_PROFILE_RELEASE_LTO", "off")
                    .with_environment("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                    .with_environment("CARGO_PROFILE_RELEASE_DEBUG", "0")
                    .run()
            }
            Ok(output) => {
                let found = version_in(&output);
                if found != *version {
                    println!("\nUsing {package} {found}, although this project is written for {version}.");
                }
                Ok(())
            }
        }
    }
}

/// The first line of `--version` starts with a name and a version.
fn version_in(output: &str) -> &str {
    output.split_whitespace().nth(1).unwrap_or("of unknown version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_in__output_of_a_subcommand__is_the_second_word() {
        for (output, version) in [
            ("cargo-deny 0.20.2\n", "0.20.2"),
            ("cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143\n", "0.9.143"),
            ("", "of unknown version"),
        ] {
            assert_eq!(version_in(output), version, "{output:?}");
        }
    }
}
