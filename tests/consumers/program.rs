//! Sets up the examples of `docs/examples` according to their READMEs, and runs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use agent_tests::environment::{Environment, JAVASCRIPT, Language, PYTHON, Recipe, Stage};
use agent_tests::server::Ended;
use anyhow::{Context, Result, ensure};

/// The requirements of an example, and the commands in its README.
struct Example {
    /// The name of its folder.
    name: &'static str,
    language: &'static Language,
    /// The files that pin the tools.
    pinned: &'static [&'static str],
    files: &'static [&'static str],
    install: &'static [&'static str],
    /// Removes earlier installations.
    uninstall: &'static str,
    /// Generates the models and checks the types.
    build: &'static [&'static str],
    run: &'static [&'static str],
}

const PYTHON_EXAMPLE: Example = Example {
    name: "python",
    language: &PYTHON,
    pinned: &["requirements.txt"],
    files: &["client.py", "pyproject.toml"],
    install: &["python3 -m venv .venv", ".venv/bin/pip install -r requirements.txt"],
    uninstall: "rm -rf .venv",
    build: &[".venv/bin/datamodel-codegen", ".venv/bin/mypy --strict client.py models.py"],
    run: &[".venv/bin/python", "client.py"],
};

const TYPESCRIPT_EXAMPLE: Example = Example {
    name: "typescript",
    language: &JAVASCRIPT,
    pinned: &["package.json", "package-lock.json"],
    files: &["client.ts", "tsconfig.json"],
    install: &["npm ci"],
    uninstall: "rm -rf node_modules",
    build: &["npm run models", "npm run build"],
    run: &["node", "dist/client.js"],
};

/// The question in the READMEs.
pub(crate) const QUESTION: &str = "What is 6 times 7?";

/// An example that is ready to run.
#[derive(Debug)]
pub(crate) struct Program {
    /// The name of its folder.
    pub(crate) name: &'static str,
    /// The output for [`QUESTION`] according to the README.
    pub(crate) shown: String,
    environment: Environment,
    command: &'static [&'static str],
}

/// Both examples. The first call prepares them.
///
/// # Panics
/// If that fails.
pub(crate) fn programs() -> [&'static Program; 2] {
    static PROGRAMS: [OnceLock<Result<Program>>; 2] = [const { OnceLock::new() }; 2];
    let [python, typescript] = &PROGRAMS;
    [(python, &PYTHON_EXAMPLE), (typescript, &TYPESCRIPT_EXAMPLE)].map(|(program, example)| {
        let prepared = program.get_or_init(|| prepare(example));
        prepared.as_ref().unwrap_or_else(|error| panic!("the example in {}: {error:#}", example.name))
    })
}

impl Program {
    /// Runs it with these arguments.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(&[], arguments).await
    }

    /// Runs it with these variables in its environment.
    pub(crate) async fn run_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
        self.environment.run(self.command, arguments, environment).await
    }
}

/// Copies the example to a writable folder, installs its tools, generates its models and checks its types, unless all of that
/// was already done for the same files.
fn prepare(example: &Example) -> Result<Program> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let source = docs.join("examples").join(example.name);
    let readme = fs::read_to_string(source.join("README.md"))?;
    let run = format!("{} http://127.0.0.1:8080 \"{QUESTION}\"", example.run.join(" "));
    for command in example.install.iter().chain(example.build).copied().chain([run.as_str()]) {
        ensure!(readme.lines().any(|line| line == command), "its README does not say `{command}`");
    }
    // The example finds the schema by its relative path, which is the same as in the project.
    let workdir = format!("examples/{}", example.name);
    let files = |names: &[&str]| {
        let file = |name: &&str| (source.join(name), Path::new(&workdir).join(name));
        names.iter().map(file).collect::<Vec<_>>()
    };
    let schema = PathBuf::from("reference/schema/agent-runtime.schema.json");
    let mut sources = files(example.files);
    sources.push((docs.join(&schema), schema));
    let install = [example.uninstall].into_iter().chain(example.install.iter().copied()).collect();
    let stages = vec![
        Stage { files: files(example.pinned), commands: install },
        Stage { files: sources, commands: example.build.to_vec() },
    ];
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consumers").join(example.name);
    let recipe = Recipe { folder: &folder, workdir: &workdir, language: example.language, stages };
    let environment = recipe.prepare()?;
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let shown = shown.context("its README does not say what it prints")?.to_owned();
    Ok(Program { name: example.name, shown, environment, command: example.run })
}

mod installed {
    //! The slow installations, so that they can be done before other tests wait for them.

    use super::{PYTHON_EXAMPLE, TYPESCRIPT_EXAMPLE, prepare};

    #[test]
    fn example_in_python__pinned_tools__build_it() -> anyhow::Result<()> {
        prepare(&PYTHON_EXAMPLE).map(|_| ())
    }

    #[test]
    fn example_in_typescript__pinned_tools__build_it() -> anyhow::Result<()> {
        prepare(&TYPESCRIPT_EXAMPLE).map(|_| ())
    }
}
