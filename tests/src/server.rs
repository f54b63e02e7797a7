//! The real binary as a separate process, on a free port.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use crate::client::Connection;
use crate::{binary, within};

/// How to start a server.
#[derive(Debug)]
pub struct Launch {
    program: Option<PathBuf>,
    config: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    shell: Option<String>,
    stdin: Option<PathBuf>,
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; -1 if a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// A running server; killed when it is dropped, and its log is shown if the test fails.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: Arc<Log>,
    _config: Option<NamedTempFile>,
}

/// The lines on standard error so far.
#[derive(Debug, Default)]
struct Log {
    text: Mutex<String>,
    grown: Notify,
}

impl Launch {
    /// A server with only these arguments: no file, and an environment that only makes it keep no data.
    pub fn bare(arguments: &[&str]) -> Self {
        Launch {
            program: None,
            config: None,
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            environment: vec![("AGENT_SERVER_EPHEMERAL".to_owned(), "true".to_owned())],
            shell: None,
            stdin: None,
        }
    }

    /// A server with the agent `echo` and this configuration, on a free port, with a log in JSON.
    pub fn echo(config: &str) -> Self {
        let arguments = ["--port", "0", "--agent", "echo", "--log-format", "json"];
        Launch { config: Some(config.to_owned()), ..Launch::bare(&arguments) }
    }

    /// Starts this program instead of the binary.
    #[must_use]
    pub fn program(mut self, program: &Path) -> Self {
        self.program = Some(program.to_owned());
        self
    }

    /// Keeps data in this folder.
    #[must_use]
    pub fn data_dir(mut self, folder: &Path) -> Self {
        self.environment.retain(|(name, _)| name != "AGENT_SERVER_EPHEMERAL");
        let folder = folder.to_str().expect("test folders are UTF-8");
        self.environment("AGENT_SERVER_DATA_DIR", folder)
    }

    /// Does not set where data is kept.
    #[must_use]
    pub fn without_data_settings(mut self) -> Self {
        self.environment.retain(|(name, _)| name != "AGENT_SERVER_EPHEMERAL");
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Adds a file with this configuration.
    #[must_use]
    pub fn config(mut self, config: &str) -> Self {
        self.config = Some(config.to_owned());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets this file as its standard input.
    #[must_use]
    pub fn stdin(mut self, file: &Path) -> Self {
        self.stdin = Some(file.to_owned());
        self
    }

    /// Runs this in a shell first.
    #[must_use]
    pub fn shell(mut self, command: &str) -> Self {
        self.shell = Some(command.to_owned());
        self
    }

    /// Starts the process with piped output; it is killed when dropped. The file is its configuration.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn spawn(self) -> (Child, Option<NamedTempFile>) {
        let program = self.program.as_deref().unwrap_or_else(|| binary::agent_server());
        let mut command = match &self.shell {
            None => Command::new(program),
            Some(first) => {
                let mut shell = Command::new("/bin/sh");
                shell.arg("-c").arg(format!("{first} && exec \"$0\" \"$@\"")).arg(program);
                shell
            }
        };
        let config = self.config.map(|text| {
            let file = NamedTempFile::new().expect("a temporary file");
            std::fs::write(file.path(), text).expect("written");
            file
        });
        if let Some(file) = &config {
            command.arg("--config").arg(file.path());
        }
        command.args(self.arguments).env_clear().envs(self.environment);
        let stdin =
            self.stdin.map_or_else(Stdio::null, |path| std::fs::File::open(path).expect("a file").into());
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        (command.spawn().expect("the server can be started"), config)
    }

    /// Starts the server and waits until it listens.
    ///
    /// # Panics
    /// If it does not.
    pub async fn start(self) -> Server {
        let (mut child, config) = self.spawn();
        let log = Arc::new(Log::default());
        let stderr = child.stderr.take().expect("it is piped");
        #[expect(clippy::disallowed_methods, reason = "it ends with the process whose output it reads")]
        let reading = tokio::spawn(Arc::clone(&log).read(stderr));
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        within("the server to listen", stdout.read_line(&mut line)).await.expect("readable");
        let address = line.trim().strip_prefix("listening on http://").and_then(|at| at.parse().ok());
        let Some(address) = address else {
            let _ = within("the end of its log", reading).await;
            panic!("it said {line:?} and logged:\n{}", log.text());
        };
        Server { child, address, log, _config: config }
    }

    /// Starts a process that ends by itself, and waits for its end.
    pub async fn run(self) -> Ended {
        let (child, _config) = self.spawn();
        let output = within("the process to end", child.wait_with_output()).await.expect("waited for");
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Log {
    async fn read(self: Arc<Self>, mut from: impl AsyncRead + Unpin) {
        let mut bytes = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let text = String::from_utf8_lossy(&bytes[..count]);
            self.text.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
            self.grown.notify_waiters();
        }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Server {
    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of its process.
    ///
    /// # Panics
    /// If it has ended and was waited for.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// A new connection.
    pub async fn connect(&self) -> Connection {
        Connection::open(self.address).await
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits for a line of its JSON log.
    ///
    /// # Panics
    /// If none comes.
    pub async fn logged(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        within(what, async {
            loop {
                let grown = self.log.grown.notified();
                let mut grown = std::pin::pin!(grown);
                grown.as_mut().enable();
                let text = self.log.text();
                let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                if let Some(line) = lines.find(&is_it) {
                    return line;
                }
                grown.await;
            }
        })
        .await
    }

    /// The processes that it has started.
    pub fn children(&self) -> Vec<Pid> {
        children_of(self.id())
    }

    /// Sends the process a signal.
    pub fn signal(&self, signal: Signal) {
        send_signal(&self.child, signal);
    }

    /// Limits the size of files that the process can write, or removes the limit. The process has to ignore SIGXFSZ.
    #[cfg(target_os = "linux")]
    pub fn limit_file_size(&self, bytes: Option<u64>) {
        use rustix::process::{Resource, Rlimit, prlimit};
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(pid(&self.child)), Resource::Fsize, limit).expect("it can be limited");
    }

    /// Waits for its end.
    pub async fn exit(&mut self) -> ExitStatus {
        within("the server to end", self.child.wait()).await.expect("waited for")
    }

    /// Checks that it still answers, and that nothing has panicked.
    pub async fn check_health(&self) {
        let answer = self.connect().await.get("/health").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!self.log().contains("panicked"), "something panicked");
    }
}

/// The processes that a process has started.
pub fn children_of(parent: u32) -> Vec<Pid> {
    let parent = parent.to_string();
    let mut children = Vec::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        // The parent follows the state, which follows the name in parentheses.
        let is_child = stat.rsplit(") ").next().is_some_and(|rest| rest.split(' ').nth(1) == Some(&parent));
        let id = process.file_name().to_string_lossy().parse().ok().and_then(Pid::from_raw);
        children.extend(id.filter(|_| is_child));
    }
    children
}

/// Sends a process a signal.
///
/// # Panics
/// If it has ended.
pub fn send_signal(child: &Child, signal: Signal) {
    kill_process(pid(child), signal).expect("it can be signalled");
}

fn pid(child: &Child) -> Pid {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    id.expect("it runs")
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "a failed test shows what the server said")]
            {
                eprintln!("--- the server's log\n{}---", self.log());
            }
        }
    }
}
