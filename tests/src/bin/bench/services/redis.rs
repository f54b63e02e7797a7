//! Redis servers of the benchmark: each has a folder and a port of its own and ends with it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// A running server, which keeps its data in memory only.
#[derive(Debug)]
pub(crate) struct RedisServer {
    child: Child,
    pub(crate) port: u16,
    _folder: TempDir,
}

impl RedisServer {
    pub(crate) fn start() -> Result<Self> {
        // Somebody else may take the free port before the server does.
        for _ in 0..20 {
            if let Some(server) = RedisServer::start_once()? {
                return Ok(server);
            }
        }
        bail!("redis-server does not start")
    }

    fn start_once() -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context(
                "`redis-server` is missing, which the measurement starts: install it with `apt-get install redis-server` (Debian, Ubuntu), \
                 `dnf install redis` (Fedora) or `brew install redis` (macOS)",
            )?;
        let mut server = RedisServer { child, port, _folder: folder };
        let mut output = BufReader::new(server.child.stdout.take().context("no output")?);
        let mut line = String::new();
        while !line.contains("Ready to accept connections") {
            line.clear();
            if output.read_line(&mut line)? == 0 {
                return Ok(None);
            }
        }
        // A full pipe would stop the server.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Ok(Some(server))
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What its data takes up, in bytes.
    pub(crate) fn used_memory(&self) -> Result<u64> {
        let mut command = Command::new("redis-cli");
        let output = command.args(["-p", &self.port.to_string(), "info", "memory"]).output();
        let output =
            output.context("`redis-cli` is missing, which comes with `redis-server` or `redis-tools`")?;
        let text = String::from_utf8(output.stdout)?;
        let bytes = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
        bytes
            .and_then(|bytes| bytes.trim().parse().ok())
            .context("Redis does not say how much memory it uses")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
