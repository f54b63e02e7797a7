//! The examples of `docs/examples`: set up as their READMEs say, and run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use agent_tests::server::Ended;
use agent_tests::within;
use anyhow::{Context, Error, Result, ensure};

/// What an example needs, and the commands of its README.
struct Recipe {
    /// Its folder's name.
    name: &'static str,
    /// Prints the version of the language, and fails if that is missing or too old.
    probe: &'static str,
    /// One sentence for whoever lacks it.
    missing: &'static str,
    files: &'static [&'static str],
    /// The files that pin the tools.
    pinned: &'static [&'static str],
    /// Where they are installed.
    tools: &'static str,
    install: &'static [&'static str],
    /// Generates the models and checks the types.
    build: &'static [&'static str],
    run: &'static [&'static str],
}

const PYTHON: Recipe = Recipe {
    name: "python",
    probe: "python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11) or print(sys.version))'",
    missing: "Python 3.11 or later with its module `venv` is missing, which the example in Python is tested with: \
              install it with `apt-get install python3-venv` (Debian, Ubuntu), `dnf install python3` (Fedora) or \
              `brew install python` (macOS).",
    files: &["client.py", "pyproject.toml", "requirements.txt"],
    pinned: &["requirements.txt"],
    tools: ".venv",
    install: &["python3 -m venv .venv", ".venv/bin/pip install -r requirements.txt"],
    build: &[".venv/bin/datamodel-codegen", ".venv/bin/mypy --strict client.py models.py"],
    run: &[".venv/bin/python", "client.py"],
};

const TYPESCRIPT: Recipe = Recipe {
    name: "typescript",
    probe: "npm --version && node -e 'console.log(process.version); process.exit(parseInt(process.version.slice(1)) < 18 ? 1 : 0)'",
    missing: "Node.js 18 or later with npm is missing, which the example in TypeScript is tested with: install it with \
              `apt-get install nodejs npm` (Debian, Ubuntu), `dnf install nodejs npm` (Fedora) or `brew install node` \
              (macOS).",
    files: &["client.ts", "package.json", "package-lock.json", "tsconfig.json"],
    pinned: &["package.json", "package-lock.json"],
    tools: "node_modules",
    install: &["npm ci"],
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
    /// What the README says that it prints for [`QUESTION`].
    pub(crate) shown: String,
    folder: PathBuf,
    command: &'static [&'static str],
    /// Held until this process ends, so that no other one changes the folder under it.
    _lock: File,
}

/// Both examples. The first call prepares them.
///
/// # Panics
/// If that fails.
pub(crate) fn programs() -> [&'static Program; 2] {
    static PROGRAMS: [OnceLock<Result<Program>>; 2] = [const { OnceLock::new() }; 2];
    let [python, typescript] = &PROGRAMS;
    [(python, &PYTHON), (typescript, &TYPESCRIPT)].map(|(program, recipe)| {
        let prepared = program.get_or_init(|| prepare(recipe));
        prepared.as_ref().unwrap_or_else(|error| panic!("the example in {}: {error:#}", recipe.name))
    })
}

impl Program {
    /// Runs it with these arguments.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(&[], arguments).await
    }

    /// Runs it with these variables in its environment.
    pub(crate) async fn run_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut command = tokio::process::Command::new(self.command[0]);
        command.args(&self.command[1..]).args(arguments).current_dir(&self.folder);
        // A proxy is for other machines.
        command.env("no_proxy", "*").envs(environment.iter().copied());
        let output = within("the example to end", command.stdin(Stdio::null()).kill_on_drop(true).output());
        let output = output.await.expect("the example can be started");
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Copies the example to where it may be written, installs its tools if they are not those that it pins, generates its
/// models and checks its types.
fn prepare(recipe: &Recipe) -> Result<Program> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consumers").join(recipe.name);
    // The example finds the schema by its place, so that is the same as in the project.
    let folder = root.join("examples").join(recipe.name);
    let schema = "reference/schema/agent-runtime.schema.json";
    fs::create_dir_all(&folder)?;
    fs::create_dir_all(root.join("reference/schema"))?;
    let lock = File::create(root.join("lock"))?;
    lock.lock()?;
    let readme = fs::read_to_string(docs.join("examples").join(recipe.name).join("README.md"))?;
    let run = format!("{} http://127.0.0.1:8080 \"{QUESTION}\"", recipe.run.join(" "));
    for command in recipe.install.iter().chain(recipe.build).copied().chain([run.as_str()]) {
        ensure!(readme.lines().any(|line| line == command), "its README does not say `{command}`");
    }
    fs::copy(docs.join(schema), root.join(schema))?;
    for file in recipe.files {
        fs::copy(docs.join("examples").join(recipe.name).join(file), folder.join(file))
            .with_context(|| format!("{file} cannot be copied"))?;
    }
    install(recipe, &folder, &root.join("installed"))?;
    for command in recipe.build {
        shell(command, &folder)?;
    }
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let shown = shown.context("its README does not say what it prints")?.to_owned();
    Ok(Program { name: recipe.name, shown, folder, command: recipe.run, _lock: lock })
}

/// Installs the pinned tools, unless `stamp` says that they are there.
fn install(recipe: &Recipe, folder: &Path, stamp: &Path) -> Result<()> {
    let version = shell(recipe.probe, folder).map_err(|_| Error::msg(recipe.missing))?.stdout;
    // What is installed names the language's own program, and the folder.
    let mut wanted = format!("{}{}\n", String::from_utf8_lossy(&version), folder.display());
    for file in recipe.pinned {
        wanted += &fs::read_to_string(folder.join(file))?;
    }
    if fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let tools = folder.join(recipe.tools);
    for old in [fs::remove_file(stamp), fs::remove_dir_all(tools)] {
        old.or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    }
    for command in recipe.install {
        shell(command, folder)?;
    }
    Ok(fs::write(stamp, wanted)?)
}

fn shell(command: &str, folder: &Path) -> Result<Output> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).current_dir(folder).stdin(Stdio::null());
    let output = shell.output().context("the shell cannot be started")?;
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    ensure!(output.status.success(), "`{command}` failed:\n{said}{complained}");
    Ok(output)
}
