//! The programs that the commands need, and the messages if one is missing.

mod cargo;
mod debian;

use anyhow::{Result, bail};

pub(crate) use self::cargo::Subcommand;
use crate::steps::output_of;

/// A program that has to be installed before a command starts.
struct Tool {
    /// The commands that need it.
    needed_by: &'static [&'static str],
    /// A command line that only succeeds if the tool is installed.
    probe: (&'static str, &'static [&'static str]),
    /// One sentence that says what is missing, and how to install it.
    missing: &'static str,
    /// The package that is installed automatically for root on Debian.
    debian_package: Option<&'static str>,
}

impl Tool {
    fn is_there(&self) -> bool {
        output_of(self.probe.0, self.probe.1).is_ok()
    }

    /// Installs the tool if possible; returns whether that succeeded.
    fn is_installed_now(&self) -> bool {
        let installed = self.debian_package.is_some_and(|package| match debian::install(package) {
            Ok(is_tried) => is_tried,
            Err(error) => {
                println!("{error:#}");
                false
            }
        });
        installed && self.is_there()
    }
}

const TOOLS: &[Tool] = &[
    Tool {
        needed_by: &["test", "lint", "bench"],
        probe: ("cc", &["--version"]),
        missing: "The C compiler `cc` is missing. It compiles the C code in some dependencies; \
                  install it with `apt-get install build-essential` (Debian, Ubuntu), `dnf install gcc` (Fedora) \
                  or `xcode-select --install` (macOS).",
        debian_package: None,
    },
    Tool {
        needed_by: &["test", "lint"],
        probe: ("git", &["--version"]),
        missing: "`git` is missing. `tidy` uses it to list the project's source files; \
                  install it with `apt-get install git` (Debian, Ubuntu), `dnf install git` (Fedora) \
                  or `xcode-select --install` (macOS).",
        debian_package: None,
    },
    Tool {
        needed_by: &["test"],
        probe: ("curl", &["--version"]),
        missing: "`curl` is missing. The test of the README needs it; \
                  install it with `apt-get install curl` (Debian, Ubuntu), `dnf install curl` (Fedora) \
                  or `brew install curl` (macOS).",
        debian_package: Some("curl"),
    },
    Tool {
        needed_by: &["test"],
        probe: ("python3", &["-c", "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"]),
        missing: "Python 3.11 or later with its module `venv` is missing. The tests of the Python example and of \
                  OpenAI's clients need it; \
                  install it with `apt-get install python3-venv` (Debian, Ubuntu), `dnf install python3` (Fedora) \
                  or `brew install python` (macOS).",
        debian_package: Some("python3-venv"),
    },
    Tool {
        needed_by: &["test"],
        probe: ("node", &["-e", "process.exit(parseInt(process.version.slice(1)) < 18 ? 1 : 0)"]),
        missing: "Node.js 18 or later is missing. The tests of the TypeScript example and of OpenAI's clients \
                  need it; \
                  install it with `apt-get install nodejs` (Debian, Ubuntu), `dnf install nodejs` (Fedora) \
                  or `brew install node` (macOS).",
        debian_package: Some("nodejs"),
    },
    Tool {
        needed_by: &["test"],
        probe: ("npm", &["--version"]),
        missing: "`npm` is missing. The tests of the TypeScript example and of OpenAI's clients need it; \
                  install it with `apt-get install npm` (Debian, Ubuntu), `dnf install npm` (Fedora) \
                  or `brew install node` (macOS).",
        debian_package: Some("npm"),
    },
    Tool {
        needed_by: &["lint"],
        probe: ("cargo", &["fmt", "--version"]),
        missing: "`cargo fmt` is missing. It checks the formatting; install it with `rustup component add rustfmt`.",
        debian_package: None,
    },
    Tool {
        needed_by: &["lint"],
        probe: ("cargo", &["clippy", "--version"]),
        missing: "`cargo clippy` is missing. It runs the lints; install it with `rustup component add clippy`.",
        debian_package: None,
    },
    Tool {
        needed_by: &["test"],
        probe: ("redis-server", &["--version"]),
        missing: "`redis-server` is missing. The tests of the Redis stores start it; \
                  install it with `apt-get install redis-server` (Debian, Ubuntu), `dnf install redis` (Fedora) \
                  or `brew install redis` (macOS).",
        debian_package: Some("redis-server"),
    },
];

/// Fails with one sentence for each tool that `command` needs, that is missing, and that could not be installed.
pub(crate) fn require(command: &str) -> Result<()> {
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|tool| tool.needed_by.contains(&command))
        .filter(|tool| !tool.is_there() && !tool.is_installed_now())
        .map(|tool| tool.missing)
        .collect();
    if !missing.is_empty() {
        bail!("`cargo xtask {command}` cannot start.\n{}", missing.join("\n"));
    }
    Ok(())
}
