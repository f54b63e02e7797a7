//! Redis servers for tests and benchmarks. Each has its own folder and port, and ends when its value is dropped.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// A running server.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    folder: TempDir,
    is_durable: bool,
}

impl RedisServer {
    /// Starts a server that keeps its data in memory only.
    ///
    /// # Errors
    /// If there is no `redis-server`, or it does not start.
    pub fn start() -> Result<Self> {
        RedisServer::start_on_free_port(false)
    }

    /// Starts a server that writes to the disk before it acknowledges.
    ///
    /// # Errors
    /// If there is no `redis-server`, or it does not start.
    pub fn start_durable() -> Result<Self> {
        RedisServer::start_on_free_port(true)
    }

    fn start_on_free_port(is_durable: bool) -> Result<Self> {
        let mut folder = tempfile::tempdir()?;
        // Another program may take the free port before the server does.
        for _ in 0..20 {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            match launch(&folder, port, is_durable)? {
                Some(child) => return Ok(RedisServer { child, port, folder, is_durable }),
                None => folder = tempfile::tempdir()?,
            }
        }
        bail!("redis-server does not start")
    }

    /// Kills the server. It keeps its port and its folder.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts a killed server again, at the same place.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        self.child =
            launch(&self.folder, self.port, self.is_durable)?.context("redis-server does not start again")?;
        Ok(())
    }

    /// Sends a command, whose words must not contain spaces.
    ///
    /// # Errors
    /// If the server does not accept it.
    pub fn command(&self, words: &[&str]) -> Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.write_all(format!("{}\r\n", words.join(" ")).as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        if answer.starts_with('+') { Ok(()) } else { bail!("{words:?}: {answer}") }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// Starts a server and waits until it listens; `None` if it exits at once, for example because its port is taken.
fn launch(folder: &TempDir, port: u16, is_durable: bool) -> Result<Option<Child>> {
    let sync = if is_durable {
        ["--appendonly", "yes", "--appendfsync", "always"]
    } else {
        ["--appendonly", "no", "--appendfsync", "no"]
    };
    let mut child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(sync)
        .arg("--dir")
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context(
            "`redis-server` is missing: install it with `apt-get install redis-server` (Debian, Ubuntu), \
             `dnf install redis` (Fedora) or `brew install redis` (macOS)",
        )?;
    let mut output = BufReader::new(child.stdout.take().context("no output")?);
    let mut line = String::new();
    while !line.contains("Ready to accept connections") {
        line.clear();
        if output.read_line(&mut line)? == 0 {
            child.wait()?;
            return Ok(None);
        }
    }
    // A full pipe would stop the server.
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    Ok(Some(child))
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
