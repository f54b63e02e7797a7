//! The processes that are measured: starting, pinning, CPU time and memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::store::{Store, StoreResources};

/// The cores of the servers and of the load generator.
pub(crate) const SERVER_CORE: usize = 0;
pub(crate) const LOAD_CORE: usize = 1;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// The resources of its store, as long as it runs.
    _kept: StoreResources,
    pub(crate) address: String,
}

/// Whether processes can be pinned here.
pub(crate) fn pinning() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let taskset =
        Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    // The load generator is already pinned when it checks, so it sees only one core.
    taskset.is_ok_and(|status| status.success()) && (cores > 1 || is_pinned())
}

fn is_pinned() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line == format!("Cpus_allowed_list:\t{LOAD_CORE}"))
}

/// A command that runs a program on one core, if that is possible here.
pub(crate) fn pinned(core: usize, program: &Path) -> Command {
    if !pinning() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program);
    command
}

fn ours(binary: &Path, arguments: &[&str]) -> Command {
    let mut command = pinned(SERVER_CORE, binary);
    command.args(["--port", "0", "--log-level", "warn"]).args(arguments);
    // The caller's environment must not change the measurement. A worker needs to find Python.
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
}

/// Runs this program again in another role on one core.
pub(crate) fn rerun_pinned(core: usize, role: &str) -> Result<()> {
    let mut command = pinned(core, &std::env::current_exe()?);
    let status = command.args(std::env::args().skip(1)).arg(role).status()?;
    if !status.success() {
        bail!("the measurement failed");
    }
    Ok(())
}

/// Moves this process, which has only one thread yet, to the load generator's core; returns whether that is possible here.
pub(crate) fn pin_load() -> bool {
    let mut taskset = Command::new("taskset");
    taskset.args(["-c", "-p", &LOAD_CORE.to_string(), &std::process::id().to_string()]);
    pinning() && taskset.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

impl Server {
    /// The bare hyper server.
    pub(crate) async fn floor() -> Result<Self> {
        let mut command = pinned(SERVER_CORE, &std::env::current_exe()?);
        command.arg("floor");
        Server::start(command, StoreResources::default()).await
    }

    /// A model whose answers have this many words, one each time the delay has passed. It belongs to the load.
    pub(crate) async fn model(words: usize, delay: Duration) -> Result<Self> {
        let mut command = pinned(LOAD_CORE, &std::env::current_exe()?);
        command.args(["model", "--words", &words.to_string(), "--delay", &delay.as_millis().to_string()]);
        Server::start(command, StoreResources::default()).await
    }

    /// The real server, which keeps everything in memory only, so that the figures are those of runs.
    pub(crate) async fn ours(binary: &Path, arguments: &[&str]) -> Result<Self> {
        Server::storing(binary, arguments, Store::Memory).await
    }

    /// The real server with a new store.
    pub(crate) async fn storing(binary: &Path, arguments: &[&str], store: Store) -> Result<Self> {
        let (place, kept) = store.open()?;
        let mut command = ours(binary, arguments);
        command.args(place);
        if store.is_relaxed() {
            command.env("AGENT_SERVER_RUNS_DURABILITY", "relaxed");
        }
        Server::start(command, kept).await
    }

    async fn start(command: Command, kept: StoreResources) -> Result<Self> {
        let mut command = tokio::process::Command::from(command);
        let mut child =
            command.stdout(Stdio::piped()).kill_on_drop(true).spawn().context("could not start a server")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let line = BufReader::new(stdout).lines().next_line().await?.context("the server printed nothing")?;
        let address = line.rsplit("http://").next().unwrap_or_default().to_owned();
        Ok(Server { child, _kept: kept, address })
    }

    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id().context("the server has gone")
    }

    fn proc_file(&self, name: &str) -> Result<String> {
        let id = self.child.id().context("the server has gone")?;
        Ok(std::fs::read_to_string(format!("/proc/{id}/{name}"))?)
    }

    /// The user and system time of the process, with the scheduler's precision.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let id = self.child.id().context("the server has gone")?;
        cpu_time_of(&id.to_string())
    }

    fn memory(&self, field: &str) -> Result<u64> {
        memory_of(&self.proc_file("status")?, field)
    }

    /// Resident memory now, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    /// The most resident memory so far, in bytes.
    pub(crate) fn peak(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }
}

/// The user and system time of a process, with the scheduler's precision.
pub(crate) fn cpu_time_of(process: &str) -> Result<Duration> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds +=
            text.split_whitespace().next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The user and system time of this process.
pub(crate) fn cpu_time_here() -> Result<Duration> {
    cpu_time_of("self")
}

/// A field of a process' status, in bytes.
fn memory_of(status: &str, field: &str) -> Result<u64> {
    let line = status.lines().find(|line| line.starts_with(field)).context("no memory in /proc")?;
    let kib = line.split_whitespace().nth(1).and_then(|value| value.parse::<u64>().ok());
    Ok(kib.context("no number in /proc")? * 1024)
}

/// Resident memory of this process now, in bytes.
pub(crate) fn resident_here() -> Result<u64> {
    memory_of(&std::fs::read_to_string("/proc/self/status")?, "VmRSS:")
}

/// How long the server takes from its start until it can serve, several times, and its idle memory.
pub(crate) async fn start_times(binary: &Path, times: usize) -> Result<(Vec<Duration>, u64)> {
    let mut durations = Vec::new();
    let mut resident = 0;
    for _ in 0..times {
        let started = Instant::now();
        let server = Server::ours(binary, &["--agent", "echo"]).await?;
        durations.push(started.elapsed());
        resident = server.resident()?;
    }
    Ok((durations, resident))
}
