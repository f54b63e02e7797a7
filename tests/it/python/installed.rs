//! The server and the package in an environment, where a wheel puts them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use agent_tests::pythons::{self, Python};
use agent_tests::{Launch, binary};
use tempfile::TempDir;

use super::{PATH, ask};

/// A module of the environment, which no other interpreter has.
const MODULE: &str = "WORD = 'of the environment'\n";

/// Without a main guard, which is what some forget.
const APP: &str = "\
from agent_server import Run, agent, serve
from only_here import WORD

@agent
async def say(run: Run):
    return WORD

serve()
";

/// An environment with what the wheel has in it, and a script elsewhere.
struct Installed {
    folder: TempDir,
    environment: PathBuf,
    packages: PathBuf,
    app: PathBuf,
}

impl Installed {
    fn new(python: &Python) -> Self {
        // Beside the binary, so that a link to it is possible.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let environment = folder.path().join("env");
        let create = ["-m", "venv", "--without-pip"];
        run(Command::new(&python.path).args(create).arg(&environment));
        let where_packages_are = "import sysconfig; print(sysconfig.get_path('purelib'), end='')";
        let packages = run(Command::new(environment.join("bin/python")).args(["-c", where_packages_are]));
        let server = environment.join("bin/agent-server");
        fs::hard_link(binary::agent_server(), &server)
            .or_else(|_| fs::copy(binary::agent_server(), &server).map(|_| ()))
            .expect("installed");
        let installed = Installed {
            app: folder.path().join("app/app.py"),
            packages: packages.into(),
            folder,
            environment,
        };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/agent_server");
        fs::create_dir(installed.packages.join("agent_server")).expect("created");
        for entry in source.read_dir().expect("a folder").map(|entry| entry.expect("a file")) {
            if entry.file_type().expect("known").is_file() {
                let copied = installed.packages.join("agent_server").join(entry.file_name());
                fs::copy(entry.path(), copied).expect("copied");
            }
        }
        fs::write(installed.packages.join("only_here.py"), MODULE).expect("written");
        fs::create_dir(installed.folder.path().join("app")).expect("created");
        fs::write(&installed.app, APP).expect("written");
        installed
    }

    /// Starts a program of the environment, which is not activated.
    fn launch(&self, program: &str, arguments: &[&str]) -> Launch {
        Launch::bare(arguments)
            .program(&self.environment.join("bin").join(program))
            .arguments(&[self.app.to_str().expect("UTF-8"), "--port", "0", "--log-format", "json"])
            .environment("PATH", PATH)
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The oldest and the newest version.
fn environments() -> Vec<Installed> {
    let found = pythons::all();
    let (first, last) =
        (found.first().expect("there is no Python"), found.last().expect("there is no Python"));
    let mut chosen = vec![first, last];
    chosen.dedup();
    chosen.into_iter().map(Installed::new).collect()
}

#[tokio::test]
async fn environment__not_activated__serves_with_its_own_interpreter() {
    for installed in environments() {
        let server = installed.launch("agent-server", &["serve"]).start().await;
        assert_eq!(ask(&server, "say", "x").await, "of the environment");
        let server = installed.launch("python", &[]).start().await;
        assert_eq!(ask(&server, "say", "x").await, "of the environment");
    }
}

#[tokio::test]
async fn package__of_another_version__is_not_what_a_worker_imports() {
    let installed = &environments()[0];
    let unusable = "raise ImportError('this is another one')\n";
    fs::write(installed.packages.join("agent_server/__init__.py"), unusable).expect("written");
    // Nor are modules of the working directory, whatever they are called.
    let elsewhere = installed.folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("created");
    for name in ["agent_server.py", "json.py", "asyncio.py", "only_here.py"] {
        fs::write(elsewhere.join(name), unusable).expect("written");
    }
    let there = format!("cd '{}'", elsewhere.display());
    let server = installed.launch("agent-server", &["serve"]).shell(&there).start().await;
    assert_eq!(ask(&server, "say", "x").await, "of the environment");
}
