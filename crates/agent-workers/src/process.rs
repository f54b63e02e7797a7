//! The process of a worker.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixStream as Pair;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::output::{log_lines, log_records};

/// The descriptors of the sockets in the worker.
const DATA: i32 = 3;
const HEALTH: i32 = 4;
const LOG: i32 = 5;

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
    id: u32,
    /// The process group, which has the worker's number; `None` once it is gone.
    group: Option<Pid>,
}

/// A worker that was just started.
pub(crate) struct Spawned {
    pub(crate) process: Process,
    pub(crate) data: UnixStream,
    pub(crate) health: UnixStream,
}

/// Starts a worker. What it says is logged.
pub(crate) fn spawn(program: &Program) -> io::Result<Spawned> {
    let (data, workers_data) = Pair::pair()?;
    let (health, workers_health) = Pair::pair()?;
    let (log, workers_log) = Pair::pair()?;
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .env_clear()
        .envs(program.environment.iter().map(|(name, value)| (name, value)))
        .env("AGENT_SERVER_WORKER_DATA", DATA.to_string())
        .env("AGENT_SERVER_WORKER_HEALTH", HEALTH.to_string())
        .env("AGENT_SERVER_WORKER_LOG", LOG.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .process_group(0);
    let mappings = vec![
        FdMapping { parent_fd: workers_data.into(), child_fd: DATA },
        FdMapping { parent_fd: workers_health.into(), child_fd: HEALTH },
        FdMapping { parent_fd: workers_log.into(), child_fd: LOG },
    ];
    command.fd_mappings(mappings).map_err(io::Error::other)?;
    let mut child = command.spawn()?;
    let id = child.id().unwrap_or_default();
    let group = i32::try_from(id).ok().and_then(Pid::from_raw);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let process = Process { child, id, group };
    let [data, health, log] = [data, health, log].map(|socket| {
        socket.set_nonblocking(true)?;
        UnixStream::from_std(socket)
    });
    in_background(log_records(log?, id));
    if let Some(output) = stdout {
        in_background(log_lines(output, id, "stdout"));
    }
    if let Some(output) = stderr {
        in_background(log_lines(output, id, "stderr"));
    }
    Ok(Spawned { process, data: data?, health: health? })
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Waits for the end of the worker, kills what it has started, and describes how it ended.
    pub(crate) async fn ended(&mut self) -> String {
        let status = self.child.wait().await;
        self.kill();
        // The number may now be given to another group.
        self.group = None;
        status.map_or_else(|error| error.to_string(), describe)
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

fn in_background(reading: impl Future<Output = ()> + Send + 'static) {
    #[expect(clippy::disallowed_methods, reason = "it ends with the processes whose output it reads")]
    tokio::spawn(reading);
}

/// How a process ended.
fn describe(status: ExitStatus) -> String {
    if status.signal() == Some(Signal::KILL.as_raw()) {
        return "killed by signal 9; the system may have run out of memory".to_owned();
    }
    status.to_string()
}
