//! The environments whose packages `tests/sdks` pins.

use std::path::{Path, PathBuf};

use crate::environment::{Environment, JAVASCRIPT, PYTHON, Recipe, Stage};

/// If this variable is set, frameworks are tested in their newest versions instead of the pinned ones.
const NEWEST: &str = "AGENT_TEST_NEWEST";

/// The environments that have newest versions.
const RENEWED: [&str; 5] = ["frameworks", "javascript", "agents", "agentscope2", "ms_agent_framework"];

/// Installs the newest versions of the packages that `package.json` names.
const NEWEST_JAVASCRIPT: &str = "npm install --silent --no-package-lock $(node -p \
    \"Object.keys(require('./package.json').dependencies).map(name => name + '@latest').join(' ')\")";

/// Installs the newest versions of the pinned packages that fit together.
const NEWEST_PYTHON: &str = "sed 's/==.*//' requirements.txt >newest.txt \
    && .venv/bin/pip install --quiet --no-compile -r newest.txt";

/// The environment with these packages, below the folder for the files of tests: the name of a file of Python's pins, or
/// `javascript`. The programs of `tests/sdks` are in it.
///
/// # Panics
/// If it cannot be installed.
pub fn environment(target: &Path, packages: &str) -> Environment {
    #[expect(clippy::disallowed_methods, reason = "a test's setting")]
    let is_newest = std::env::var_os(NEWEST).is_some() && RENEWED.contains(&packages);
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
    let folder = target.join("sdks").join(name);
    let recipe = Recipe { folder: &folder, workdir: "", language, stages };
    recipe.prepare().unwrap_or_else(|error| panic!("{packages} cannot be installed: {error:#}"))
}
