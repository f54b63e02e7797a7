//! Starting and killing a server.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::contender::{Contender, Launch, get};
use super::{install, tree};
use crate::load::Connection;
use crate::process::{SERVER_CORE, pinned};

/// A server that has not become ready by then never will.
const DEADLINE: Duration = Duration::from_secs(120);

/// Settings that keep servers from reporting to their vendors, and from buffering what they print.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("AGNO_TELEMETRY", "false"),
    ("DO_NOT_TRACK", "1"),
    ("LANGCHAIN_TRACING_V2", "false"),
    ("LANGGRAPH_CLI_NO_ANALYTICS", "1"),
    ("LANGSMITH_TRACING", "false"),
    ("MASTRA_TELEMETRY_DISABLED", "1"),
    ("NO_PROXY", "*"),
    ("OTEL_SDK_DISABLED", "true"),
    ("PYTHONUNBUFFERED", "1"),
];

/// Where the programs are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) binary: &'a Path,
    pub(crate) cache: &'a Path,
}

/// A running server. It and its descendants are killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    data: TempDir,
    port: u16,
    /// From the start of the process until it could serve.
    pub(crate) start: Duration,
}

impl Server {
    /// Starts a server with a new data folder.
    pub(crate) async fn start(contender: &dyn Contender, place: &Place<'_>) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Server::start_in(contender, place, tempfile::tempdir()?, port).await
    }

    /// Kills the server as `kill -9` does, and starts it again with its data and its port.
    pub(crate) async fn kill_and_restart(
        mut self,
        contender: &dyn Contender,
        place: &Place<'_>,
    ) -> Result<Self> {
        self.kill();
        let data = std::mem::replace(&mut self.data, tempfile::tempdir()?);
        Server::start_in(contender, place, data, self.port).await
    }

    async fn start_in(
        contender: &dyn Contender,
        place: &Place<'_>,
        data: TempDir,
        port: u16,
    ) -> Result<Self> {
        let installed =
            contender.packages().map(|packages| install::folder(packages, place.cache)).unwrap_or_default();
        let launch = Launch { binary: place.binary, installed: &installed, data: data.path(), port };
        let program = contender.command(&launch);
        let (program, arguments) = program.split_first().context("the server has no program")?;
        let log = data.path().join("log");
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = pinned(SERVER_CORE, Path::new(program));
        command.args(arguments).current_dir(data.path());
        // The caller's environment must not change the measurement.
        command.env_clear().env("HOME", data.path()).envs(ENVIRONMENT);
        // LangGraph searches for the agent from the working directory, where it also keeps its data.
        command.env("PYTHONPATH", &installed);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("could not start {program}"))?;
        let mut server = Server { child, data, port, start: Duration::ZERO };
        if let Err(error) = server.wait_until_ready(contender.ready_path(), started).await {
            bail!("{error:#}; its last lines were:\n{}", last_lines(&log));
        }
        server.start = started.elapsed();
        Ok(server)
    }

    async fn wait_until_ready(&mut self, path: &str, started: Instant) -> Result<()> {
        loop {
            if self.is_ready(path).await {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended before it was ready ({status})");
            }
            ensure!(started.elapsed() < DEADLINE, "the server was not ready after {} s", DEADLINE.as_secs());
            sleep(Duration::from_millis(2)).await;
        }
    }

    async fn is_ready(&self, path: &str) -> bool {
        let answer = async {
            let mut connection = Connection::open(&self.address()).await?;
            connection.send(&get(path, "")).await?;
            connection.read().await?;
            anyhow::Ok(connection.received().starts_with(b"HTTP/1.1 2"))
        };
        matches!(timeout(Duration::from_secs(2), answer).await, Ok(Ok(true)))
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        tree::cpu_time(self.child.id())
    }

    pub(crate) fn resident(&self) -> Result<u64> {
        tree::resident(self.child.id())
    }

    fn kill(&mut self) {
        // Only this server's own group. It may have ended already, which leaves nothing to kill.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Once it has been awaited, another process may have its id.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
