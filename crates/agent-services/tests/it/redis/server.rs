//! Redis servers of the tests. Each has its own folder and port, and ends with the test, however the test ends.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;

use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Ends the server when the standard input ends, which happens when the test program ends, even if it is killed. Then
/// removes the folder, if one is named.
const GUARD: &str = r#"
folder=$1; shift
"$@" & server=$!
exec >/dev/null 2>&1
cat
kill -9 $server; wait $server
if [ -n "$folder" ]; then rm -rf "$folder"; fi
"#;

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) port: u16,
    /// For anything else that listens, such as the bus of a cluster.
    pub(super) second_port: u16,
    folder: TempDir,
    options: Vec<String>,
    is_shared: bool,
    guard: Option<(Child, ChildStdin)>,
}

impl Server {
    /// A server with additional options, in which `{port}` is its port and `{second}` another one. It keeps no data when it
    /// ends, unless the options say otherwise.
    pub(super) fn start(options: &[&str]) -> Server {
        Server::start_in(tempfile::tempdir().expect("a folder"), options, false)
    }

    /// A server whose folder already has files that the options name.
    pub(super) fn start_in(folder: TempDir, options: &[&str], is_shared: bool) -> Server {
        require();
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Server { port: 0, second_port: 0, folder, options, is_shared, guard: None };
        // Another program may take a free port before the server does.
        for _ in 0..20 {
            (server.port, server.second_port) = free_ports();
            if server.run().is_ok() {
                return server;
            }
        }
        server.run().map(|()| server).unwrap_or_else(|log| panic!("redis-server does not start: {log}"))
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server at once, like a power failure.
    pub(super) fn kill(&mut self) {
        if let Some((mut guard, input)) = self.guard.take() {
            drop(input);
            guard.wait().expect("the guard ends");
        }
    }

    /// Starts a killed server again, with the same port and folder.
    pub(super) fn restart(&mut self) {
        self.kill();
        self.run().unwrap_or_else(|log| panic!("redis-server does not start again: {log}"));
    }

    /// Starts the server and waits until it accepts connections; returns its log if it ends before.
    fn run(&mut self) -> Result<(), String> {
        let folder = self.folder.path().to_str().expect("a plain path");
        let [port, second] = [self.port, self.second_port].map(|port| port.to_string());
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "guard", if self.is_shared { folder } else { "" }, "redis-server"]);
        // A configuration file, which sentinels need, must come first.
        let (file, options): (Vec<&String>, Vec<_>) =
            self.options.iter().partition(|option| option.ends_with(".conf") && !option.starts_with("nodes"));
        command.args(file).args(["--port", &port, "--dir", folder, "--bind", "127.0.0.1", "--save", ""]);
        command
            .args(options.iter().map(|option| option.replace("{port}", &port).replace("{second}", &second)));
        let mut guard = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let input = guard.stdin.take().ok_or("no input")?;
        let mut output = BufReader::new(guard.stdout.take().ok_or("no output")?);
        self.guard = Some((guard, input));
        let mut log = String::new();
        while !log.contains("Ready to accept connections") && !log.contains("Sentinel ID is") {
            if output.read_line(&mut log).map_err(|error| error.to_string())? == 0 {
                self.kill();
                return Err(log);
            }
        }
        // A full pipe would stop the server.
        thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Fails with one sentence if there is no Redis on this machine.
fn require() {
    let version = Command::new("redis-server").arg("--version").output();
    assert!(
        version.is_ok_and(|output| output.status.success()),
        "`redis-server` is missing, which the tests of the stores over Redis start: install it with `apt-get install \
         redis-server` (Debian, Ubuntu), `dnf install redis` (Fedora) or `brew install redis` (macOS)."
    );
}

/// Two ports that are free now.
fn free_ports() -> (u16, u16) {
    let listen = || TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    // Both are held until both are known; otherwise they could be the same.
    let (first, second) = (listen(), listen());
    let port = |listener: TcpListener| listener.local_addr().expect("an address").port();
    (port(first), port(second))
}

/// The URL of the server that is shared by tests that only use their own prefix.
pub(super) async fn shared() -> String {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    require();
    let start = async || Server::start_in(tempfile::tempdir().expect("a folder"), &[], true);
    SERVER.get_or_init(start).await.url()
}
