//! The process of an MCP server, with everything that it starts.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::config::McpServerConfig;

/// How long a process may take to exit after its input has ended, and again after SIGTERM.
pub(super) const EXIT: Duration = Duration::from_secs(2);

/// How much of a line on standard error is logged.
const MAX_LINE: u64 = 8 * 1024;

/// A process in a group of its own. Dropping it kills the group.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
    last_words: Arc<Mutex<String>>,
}

/// Starts the program of a server. Of the environment it gets `basic` and what the settings say.
pub(super) fn start(
    config: &McpServerConfig,
    program: &str,
    basic: &[(OsString, OsString)],
) -> io::Result<(Process, ChildStdin, ChildStdout)> {
    let mut command = Command::new(program);
    command
        .args(&config.args)
        .env_clear()
        .envs(basic.iter().map(|(name, value)| (name, value)))
        .envs(config.env.expose())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .process_group(0);
    if let Some(folder) = &config.cwd {
        command.current_dir(folder);
    }
    let mut child = command.spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let pipe = || io::Error::other("a pipe is missing");
    let input = child.stdin.take().ok_or_else(pipe)?;
    let output = child.stdout.take().ok_or_else(pipe)?;
    let last_words = Arc::default();
    if let Some(stderr) = child.stderr.take() {
        #[expect(clippy::disallowed_methods, reason = "it ends with the process")]
        tokio::spawn(log_lines(config.name.clone(), stderr, Arc::clone(&last_words)));
    }
    Ok((Process { child, group, last_words }, input, output))
}

impl Process {
    /// The last line on its standard error, which often says why it has ended; empty if there is none.
    pub(super) fn last_words(&self) -> String {
        self.last_words.lock().clone()
    }

    /// Resolves when the process has exited.
    pub(super) async fn exit(&mut self) {
        // It cannot be waited for only if it is no longer there.
        let _ = self.child.wait().await;
    }

    /// Ends the process: its input has ended; if it is still there, it gets SIGTERM, and then is killed.
    pub(super) async fn end(mut self) {
        for signal in [None, Some(Signal::TERM)] {
            if let Some(signal) = signal {
                self.send(signal);
            }
            if timeout(EXIT, self.child.wait()).await.is_ok() {
                break;
            }
        }
        self.send(Signal::KILL);
        let _ = timeout(EXIT, self.child.wait()).await;
        // The number may now be given to another group.
        self.group = None;
    }

    fn send(&self, signal: Signal) {
        if let Some(group) = self.group {
            // There may be nobody left.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.send(Signal::KILL);
    }
}

/// Logs what the process writes to its standard error, which must not fill up. Some programs write a lot there, so only the
/// last line is kept for everybody.
async fn log_lines(server: String, stderr: ChildStderr, last_words: Arc<Mutex<String>>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = tokio::io::AsyncReadExt::take(&mut reader, MAX_LINE);
        match limited.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                tracing::debug!(mcp.server = server, stream = "stderr", "{}", text.trim_end());
                if !text.trim().is_empty() {
                    text.trim().clone_into(&mut last_words.lock());
                }
            }
        }
    }
}
