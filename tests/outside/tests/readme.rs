//! The README, read as a new user does: its blocks are executed in their order, in an empty home folder.
//!
//! Nothing is compiled and no port is fixed, so this differs from what the README says:
//! - `cargo install` puts the server that was already built (`AGENT_TEST_BINARY`) in its place, and checks the path.
//! - `cargo run` in `greeter` runs the program that was built from `tests/outside/greeter`, whose files are compared with
//!   the blocks of the README.
//! - `pip install` puts that server in its place, too.
//! - The ports 8080 and 8081 are free ones: the programs get theirs from the environment, and `agent-server runs` from
//!   its flag.
//! - The sections in [`SKIPPED`] are not executed.
//!
//! Beyond that, `curl` fails if the server answers with an error.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const README: &str = include_str!("../../../README.md");

/// The sections for people who change the project.
const SKIPPED: &[&str] = &["Test"];

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Block<'a> {
    section: &'a str,
    /// The last text in backticks before it, which names the file of a block that is none of a shell.
    named: &'a str,
    language: &'a str,
    text: String,
}

/// The blocks of the README.
fn blocks() -> Vec<Block<'static>> {
    let (mut blocks, mut section, mut named) = (Vec::new(), "", "");
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        } else if let Some(language) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { section, named, language, text });
        } else if let Some(name) = line.rsplit('`').nth(1) {
            named = name;
        }
    }
    blocks
}

/// The machine of a new user: a home, and a clone of the project.
struct Machine {
    home: PathBuf,
    clone: PathBuf,
    ports: [u16; 2],
    /// The server that was started last.
    server: Option<Child>,
}

impl Machine {
    fn new(folder: &Path) -> Self {
        let (home, clone) = (folder.join("home"), folder.join("agent-runtime"));
        let tools = folder.join("tools");
        for folder in [&home, &clone, &tools] {
            fs::create_dir_all(folder).expect("made");
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project");
        for name in ["crates", "docs", "pyproject.toml"] {
            symlink(root.join(name), clone.join(name)).expect("linked");
        }
        for (name, text) in [("cargo", CARGO), ("curl", CURL), ("pip", PIP), ("python3", PYTHON)] {
            let tool = tools.join(name);
            fs::write(&tool, text).expect("written");
            fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("set");
        }
        let free = || TcpListener::bind("127.0.0.1:0").expect("a free port");
        let ports = [free(), free()].map(|listener| listener.local_addr().expect("bound").port());
        Machine { home, clone, ports, server: None }
    }

    /// The text with the ports of this machine.
    fn with_ports(&self, text: &str) -> String {
        let [server, greeter] = self.ports;
        let text = text.replace("8080", &server.to_string()).replace("8081", &greeter.to_string());
        let address = format!("agent-server runs --server http://127.0.0.1:{server} ");
        text.replace("agent-server runs ", &address)
    }

    fn shell(&self, text: &str) -> Command {
        let tools = self.clone.with_file_name("tools");
        let mut shell = Command::new("/bin/sh");
        let path = std::env::var("PATH").expect("a path");
        let path = format!("{}:{}/.cargo/bin:{path}", tools.display(), self.home.display());
        shell.args(["-e", "-c", &self.with_ports(text)]).current_dir(&self.clone).stdin(Stdio::null());
        shell.env_clear().env("HOME", &self.home).env("PATH", path);
        let [server, greeter] = self.ports;
        shell.env("AGENT_SERVER_PORT", server.to_string()).env("ADDRESS", format!("127.0.0.1:{greeter}"));
        shell.env("SERVER", server_binary()).env("GREETER", greeter_binary());
        shell
    }

    /// Executes a block to its end; gives its standard output.
    fn run(&self, text: &str) -> String {
        let output = self.shell(text).output().expect("a shell");
        let [out, error] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        assert!(output.status.success(), "{text}\nfailed: {}\n{out}\n{error}", output.status);
        out.into_owned()
    }

    /// Stops the server of an earlier block as Ctrl-C does.
    fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        self.run(&format!("kill -INT {}", server.id()));
        let status = server.wait().expect("it ends");
        assert!(status.success(), "after Ctrl-C: {status}");
    }

    /// Starts a server and waits until it listens at the port; gives the first line that it prints, if it prints any.
    fn start(&mut self, text: &str, port: u16, prints: bool) -> String {
        // The shell becomes the server, so that a signal reaches it.
        let (before, last) = text.trim().rsplit_once("&& ").unwrap_or(("true", text.trim()));
        let mut command = self.shell(&format!("{before} && exec {last}"));
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a shell");
        let mut line = String::new();
        let mut output = BufReader::new(server.stdout.take().expect("it is piped"));
        if prints {
            output.read_line(&mut line).expect("readable");
        }
        thread::spawn(move || output.read_to_end(&mut Vec::new()));
        self.server = Some(server);
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "nothing listens at {port} after: {text}");
            thread::yield_now();
        }
        line
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
        }
    }
}

/// Fails if the server answers with an error.
const CURL: &str = r#"#!/bin/sh
PATH=${PATH#*:}
exec curl --fail --silent --show-error "$@"
"#;

/// Instead of cargo: gives what is built already.
const CARGO: &str = r#"#!/bin/sh -e
case "$*" in
    "install --locked --path "*)
        grep -q '^name = "agent-server"' "$4/Cargo.toml"
        mkdir -p "$HOME/.cargo/bin"
        ln -s "$SERVER" "$HOME/.cargo/bin/agent-server" ;;
    "new ../greeter") mkdir -p ../greeter/src ;;
    "run") grep -q '^name = "greeter"' Cargo.toml && exec "$GREETER" ;;
    *) echo "the README's test does not know: cargo $*" >&2; exit 1 ;;
esac
"#;

/// An environment gets the `pip` below.
const PYTHON: &str = r#"#!/bin/sh -e
tools=${PATH%%:*}
PATH=${PATH#*:}
[ "$1 $2" = "-m venv" ] || exec python3 "$@"
python3 "$@" --without-pip
ln -s "$tools/pip" "$3/bin/pip"
"#;

/// Instead of pip: gives what is built already.
const PIP: &str = r#"#!/bin/sh -e
[ "$*" = "install ." ]
grep -q '^name = "agent-server"' pyproject.toml
ln -s "$SERVER" "${0%/*}/agent-server"
"#;

fn server_binary() -> PathBuf {
    let named = std::env::var_os("AGENT_TEST_BINARY");
    named.expect("AGENT_TEST_BINARY names the server; `cargo xtask test` builds it and sets the variable").into()
}

/// The greeter, which cargo builds beside this test.
fn greeter_binary() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let folder = test.ancestors().nth(2).expect("tests are in `deps`");
    let greeter = folder.join("greeter");
    assert!(greeter.is_file(), "{} is missing: run `cargo build --workspace` in tests/outside", greeter.display());
    greeter
}

/// Whether a block starts a server, which goes on.
fn is_server(text: &str) -> bool {
    let last = text.trim().rsplit("&& ").next().unwrap_or_default().trim_start_matches(".venv/bin/");
    let starts = ["agent-server --", "agent-server serve "].iter().any(|start| last.starts_with(start));
    last == "agent-server" || starts || last == "cargo run"
}

/// Checks an output against what the README shows of it, where `…` stands for anything.
fn check_output(shown: &str, output: &str) {
    let mut rest = output;
    for part in shown.split('…').map(|part| part.trim_matches('\n')) {
        let found = rest.find(part).unwrap_or_else(|| panic!("{part:?} is missing, in this order, in:\n{output}"));
        rest = &rest[found + part.len()..];
    }
}

#[test]
fn readme__in_order_in_an_empty_home__does_what_it_says() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    let _ = fs::remove_dir_all(&folder);
    let mut machine = Machine::new(&folder);
    let mut output = String::new();
    let mut executed = 0;
    for Block { section, named, language, text } in blocks() {
        if SKIPPED.contains(&section) {
            continue;
        }
        match language {
            "sh" if is_server(&text) => {
                machine.stop();
                let is_greeter = text.contains("greeter");
                let port = machine.ports[usize::from(is_greeter)];
                output = machine.start(&text, port, !is_greeter);
            }
            "sh" => output = machine.run(&text),
            "text" if section == "Start" => check_output(&machine.with_ports(&text), &output),
            // What the log says of a failure.
            "text" => {}
            _ => {
                let file = machine.clone.join(named);
                fs::write(&file, &text).unwrap_or_else(|error| panic!("the block of {named}: {error}"));
            }
        }
        executed += 1;
        match text.as_str() {
            text if text.contains("/v1/responses") => assert!(output.contains("\"completed\""), "{output}"),
            text if text.contains("sessions export") => assert!(output.contains("I like figs."), "{output}"),
            text if text.contains("Last-Event-ID") => assert!(output.contains("6 × 7 = 42"), "{output}"),
            _ => {}
        }
    }
    machine.stop();
    assert!(executed > 10, "the blocks of the README are not found any more");
    assert!(machine.home.join("agent-backup/agent-server.sqlite").is_file());
}

#[test]
fn readme__program__is_the_one_that_is_compiled() {
    let of_file = |name: &str| {
        let blocks = blocks();
        let block = blocks.iter().find(|block| block.named.ends_with(name) && block.language != "sh");
        block.unwrap_or_else(|| panic!("the README has no block for {name}")).text.clone()
    };
    // The clone is elsewhere, seen from here.
    let manifest = of_file("greeter/Cargo.toml").replace("../agent-runtime/", "../../../");
    assert_eq!(manifest, include_str!("../greeter/Cargo.toml"));
    assert_eq!(of_file("greeter/src/main.rs"), include_str!("../greeter/src/main.rs"));
}
