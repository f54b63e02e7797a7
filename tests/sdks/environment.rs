//! The clients' programs, and the environments in which they run.

use std::path::{Path, PathBuf};

use agent_tests::environment::{Environment, JAVASCRIPT, PYTHON, Recipe, Stage};

/// The version of Node.js that the packages need.
pub(crate) const NODE: &str = "node_modules/.bin/node";

/// Runs a Python program in this file's folder, with the packages that `{packages}.txt` pins; returns its output.
///
/// # Panics
/// If it fails.
pub(crate) async fn python(packages: &str, program: &str, arguments: &[&str]) -> String {
    run(&environment(packages), &[".venv/bin/python", program], arguments, &[]).await
}

/// The same for a program for Node.js, with the packages of `package.json`.
///
/// # Panics
/// If it fails.
pub(crate) async fn javascript(program: &str, arguments: &[&str]) -> String {
    run_in_javascript(&[NODE, program], arguments, &[]).await
}

/// Runs a program of the packages of `package.json`, with these environment variables; gives what it printed.
///
/// # Panics
/// If it fails.
pub(crate) async fn run_in_javascript(
    program: &[&str],
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> String {
    run(&environment("javascript"), program, arguments, variables).await
}

/// Runs a program in an environment of Python, with these environment variables; gives what it printed.
///
/// # Panics
/// If it fails.
pub(crate) async fn run_in_python(
    packages: &str,
    program: &[&str],
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> String {
    run(&environment(packages), program, arguments, variables).await
}

async fn run(
    environment: &Environment,
    program: &[&str],
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> String {
    let ended = environment.run(program, arguments, variables).await;
    assert_eq!(ended.code, 0, "{program:?} failed:\n{}{}", ended.stdout, ended.stderr);
    ended.stdout
}

/// If this variable is set, frameworks are tested in their newest versions instead of the pinned ones.
const NEWEST: &str = "AGENT_TEST_NEWEST";

/// Installs the newest versions of the packages that `package.json` names.
const NEWEST_JAVASCRIPT: &str = "npm install --silent --no-package-lock $(node -p \
    \"Object.keys(require('./package.json').dependencies).map(name => name + '@latest').join(' ')\")";

/// Installs the newest versions of the pinned packages that fit together.
const NEWEST_PYTHON: &str = "sed 's/==.*//' requirements.txt >newest.txt \
    && .venv/bin/pip install --quiet --no-compile -r newest.txt";

/// The environment with these packages: the name of a file of Python's pins, or `javascript`.
pub(crate) fn environment(packages: &str) -> Environment {
    #[expect(clippy::disallowed_methods, reason = "a test's setting")]
    let is_newest = std::env::var_os(NEWEST).is_some() && ["frameworks", "javascript"].contains(&packages);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdks");
    let files = |names: &[(&str, &str)]| {
        let file = |(from, to): &(&str, &str)| (source.join(from), PathBuf::from(to));
        names.iter().map(file).collect::<Vec<_>>()
    };
    let (language, extension, pins, install) = if packages == "javascript" {
        let pins = files(&[("package.json", "package.json"), ("package-lock.json", "package-lock.json")]);
        let install = if is_newest { NEWEST_JAVASCRIPT } else { "npm ci --silent" };
        (&JAVASCRIPT, "mjs", pins, vec![install])
    } else {
        let pins = files(&[(&format!("{packages}.txt"), "requirements.txt")]);
        // Python compiles modules when they are imported, and few of the installed ones are.
        // The pins include all dependencies.
        let pinned = ".venv/bin/pip install --quiet --no-compile --no-deps -r requirements.txt";
        let install = if is_newest { NEWEST_PYTHON } else { pinned };
        (&PYTHON, "py", pins, vec!["rm -rf .venv", "python3 -m venv .venv", install])
    };
    // Node.js searches for packages from the program's folder.
    let mut programs: Vec<(PathBuf, PathBuf)> = Vec::new();
    for folder in ["", "frameworks", "agents"] {
        for entry in source.join(folder).read_dir().expect("a folder") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|found| found == extension) {
                programs.push((path.clone(), Path::new(folder).join(path.file_name().expect("a name"))));
            }
        }
    }
    programs.sort();
    let stages =
        vec![Stage { files: pins, commands: install }, Stage { files: programs, commands: Vec::new() }];
    let name = if is_newest { format!("{packages}-newest") } else { packages.to_owned() };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdks").join(name);
    let recipe = Recipe { folder: &folder, workdir: "", language, stages };
    recipe.prepare().unwrap_or_else(|error| panic!("{packages} cannot be installed: {error:#}"))
}

pub(crate) mod installed {
    //! The slow installations, so that they can be done before other tests wait for them.

    use super::environment;

    #[test]
    fn openai_1__pinned_packages__are_there() {
        drop(environment("openai-1"));
    }

    #[test]
    fn openai_2__pinned_packages__are_there() {
        drop(environment("openai-2"));
    }

    #[test]
    fn openai_3__pinned_packages__are_there() {
        drop(environment("openai-3"));
    }

    #[test]
    fn frameworks__pinned_packages__are_there() {
        drop(environment("frameworks"));
    }

    #[test]
    fn agents__pinned_packages__are_there() {
        drop(environment("agents"));
    }

    #[test]
    fn upstream__pinned_packages__are_there() {
        drop(environment("upstream"));
    }

    #[test]
    fn package__pinned_packages__are_there() {
        drop(environment("package"));
    }

    #[test]
    fn schemathesis__pinned_packages__are_there() {
        drop(environment("schemathesis"));
    }

    #[test]
    fn javascript__pinned_packages__are_there() {
        drop(environment("javascript"));
    }
}
