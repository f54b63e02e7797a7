//! The process of a worker.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixStream as Pair;
use std::path::PathBuf;
use std::process::Stdio;

use bytes::{Buf, BytesMut};
use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

/// The descriptors of the sockets in the worker.
const DATA: i32 = 3;
const HEALTH: i32 = 4;

/// The maximum length of a line of output; longer ones are broken.
const LINE_BYTES: usize = 8 * 1024;

/// What to start, and with which environment.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its whole environment, except for the variables of the protocol.
    pub environment: Vec<(OsString, OsString)>,
}

/// A worker's process, with everything that it starts. Dropping it kills them.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// The process group, which has the worker's number.
    group: Option<Pid>,
}

/// A worker that was just started.
pub(crate) struct Spawned {
    pub(crate) process: Process,
    pub(crate) data: UnixStream,
    pub(crate) health: UnixStream,
}

/// Starts a worker. Its output becomes lines of the log.
pub(crate) fn spawn(program: &Program) -> io::Result<Spawned> {
    let (data, workers_data) = Pair::pair()?;
    let (health, workers_health) = Pair::pair()?;
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .env_clear()
        .envs(program.environment.iter().map(|(name, value)| (name, value)))
        .env("AGENT_SERVER_WORKER_DATA", DATA.to_string())
        .env("AGENT_SERVER_WORKER_HEALTH", HEALTH.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .process_group(0);
    let mappings = vec![
        FdMapping { parent_fd: workers_data.into(), child_fd: DATA },
        FdMapping { parent_fd: workers_health.into(), child_fd: HEALTH },
    ];
    command.fd_mappings(mappings).map_err(io::Error::other)?;
    let mut child = command.spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let number = child.id().unwrap_or_default();
    if let Some(output) = child.stdout.take() {
        read_output(output, number, "stdout");
    }
    if let Some(output) = child.stderr.take() {
        read_output(output, number, "stderr");
    }
    let process = Process { child, group };
    let [data, health] = [data, health].map(|socket| {
        socket.set_nonblocking(true)?;
        UnixStream::from_std(socket)
    });
    Ok(Spawned { process, data: data?, health: health? })
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Waits for the end of the worker, kills what it has started, and describes how it ended.
    pub(crate) async fn ended(&mut self) -> String {
        let status = self.child.wait().await;
        self.kill();
        status.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    /// Kills the worker and everything that it has started.
    pub(crate) fn kill(&self) {
        if let Some(group) = self.group {
            // There may be nobody left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read_output(output: impl AsyncRead + Send + Unpin + 'static, worker: u32, stream: &'static str) {
    #[expect(clippy::disallowed_methods, reason = "it ends with the processes whose output it reads")]
    tokio::spawn(log_lines(output, worker, stream));
}

/// Logs what a worker prints, line by line.
async fn log_lines(mut output: impl AsyncRead + Unpin, worker: u32, stream: &'static str) {
    let mut buffer = BytesMut::with_capacity(LINE_BYTES);
    while let Ok(1..) = output.read_buf(&mut buffer).await {
        loop {
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let Some(length) = end.or((buffer.len() >= LINE_BYTES).then_some(LINE_BYTES)) else { break };
            log_line(&buffer.split_to(length), worker, stream);
            if end.is_some() {
                buffer.advance(1);
            }
        }
        buffer.reserve(LINE_BYTES);
    }
    log_line(&buffer, worker, stream);
}

fn log_line(line: &[u8], worker: u32, stream: &'static str) {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end();
    if !line.is_empty() {
        tracing::info!(target: "agent_workers::output", pid = worker, stream, "{line}");
    }
}
