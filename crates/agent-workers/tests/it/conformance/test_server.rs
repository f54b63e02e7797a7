//! A server's end of the worker protocol, written from its specification and without the crate's own code.

use std::collections::{HashMap, VecDeque};
use std::env;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use serde_json::{Value, json};

/// Longer than anything takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// The credit of a run, in bytes.
pub(crate) const CREDIT: usize = 64 * 1024;

/// The longest payload that a frame may have.
pub(crate) const MAX_PAYLOAD: usize = 1024 * 1024;

const MORE: u8 = 1;

pub(crate) mod kind {
    pub(crate) const HELLO: u8 = 1;
    pub(crate) const RUN: u8 = 2;
    pub(crate) const CANCEL: u8 = 3;
    pub(crate) const CREDIT: u8 = 5;
    pub(crate) const REPLY: u8 = 7;
    pub(crate) const DRAIN: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const READY: u8 = 65;
    pub(crate) const FAILED: u8 = 66;
    pub(crate) const OPEN: u8 = 67;
    pub(crate) const TEXT: u8 = 68;
    pub(crate) const CLOSE: u8 = 71;
    pub(crate) const CALL: u8 = 75;
    pub(crate) const DONE: u8 = 76;
    pub(crate) const LOG: u8 = 77;
    pub(crate) const PONG: u8 = 78;
}

/// A frame from the worker.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) part: u16,
    pub(crate) run: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn json(&self) -> Value {
        if self.payload.is_empty() {
            return json!({});
        }
        serde_json::from_slice(&self.payload).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.payload).expect("a text is UTF-8")
    }
}

/// A worker, and the server's ends of its sockets.
pub(crate) struct TestServer {
    child: Child,
    pub(crate) data: UnixStream,
    pub(crate) health: UnixStream,
    pub(crate) log: UnixStream,
    /// Frames that were received and not looked at, by their run.
    waiting: HashMap<u32, VecDeque<Frame>>,
}

/// The command that starts the worker.
fn command() -> String {
    #[expect(clippy::disallowed_methods, reason = "it is how another worker is tested")]
    let command = env::var("AGENT_TEST_WORKER");
    command.unwrap_or_else(|_| "python3 src/python".to_owned())
}

/// The scripts of the suite, which every worker implements in its language.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/conformance").join(name)
}

impl TestServer {
    /// Starts the worker of the Python package, or the command in `AGENT_TEST_WORKER`, with a script.
    pub(crate) fn start(name: &str) -> Self {
        let command = command();
        let mut words = command.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        let (data, workers_data) = UnixStream::pair().expect("a pair");
        let (health, workers_health) = UnixStream::pair().expect("a pair");
        let (log, workers_log) = UnixStream::pair().expect("a pair");
        let mappings = vec![
            FdMapping { parent_fd: workers_data.into(), child_fd: 3 },
            FdMapping { parent_fd: workers_health.into(), child_fd: 4 },
            FdMapping { parent_fd: workers_log.into(), child_fd: 5 },
        ];
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python");
        command
            .args(words)
            .arg(script(name))
            .env("PYTHONPATH", package)
            .env("AGENT_SERVER_WORKER_DATA", "3")
            .env("AGENT_SERVER_WORKER_HEALTH", "4")
            .env("AGENT_SERVER_WORKER_LOG", "5")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .fd_mappings(mappings)
            .expect("descriptors");
        let child = command.spawn().expect("a worker");
        for socket in [&data, &health, &log] {
            socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        }
        TestServer { child, data, health, log, waiting: HashMap::new() }
    }

    /// The same, once it is ready.
    pub(crate) fn ready() -> Self {
        let mut server = TestServer::start("agents.py");
        server.hello(1);
        let ready = server.receive(0);
        assert_eq!(ready.kind, kind::READY, "{}", String::from_utf8_lossy(&ready.payload));
        server
    }

    pub(crate) fn hello(&mut self, version: u32) {
        let hello = json!({ "version": version, "oldest_version": version, "credit": CREDIT, "max_frame": MAX_PAYLOAD });
        self.send(kind::HELLO, 0, &hello);
    }

    /// Sends JSON.
    pub(crate) fn send(&mut self, kind: u8, run: u32, message: &Value) {
        self.send_bytes(&encode(kind, 0, run, message.to_string().as_bytes()));
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.data.write_all(bytes).expect("the worker reads");
    }

    /// Starts a run of an agent with this text.
    pub(crate) fn run(&mut self, run: u32, agent: &str, text: &str) {
        self.send(kind::RUN, run, &start_of(agent, text));
    }

    /// The next frame of a run, or of no run with 0.
    pub(crate) fn receive(&mut self, run: u32) -> Frame {
        loop {
            if let Some(frame) = self.waiting.get_mut(&run).and_then(VecDeque::pop_front) {
                return frame;
            }
            let frame = read(&mut self.data).expect("a frame comes");
            self.waiting.entry(frame.run).or_default().push_back(frame);
        }
    }

    /// Reads a run to its end; returns its text and the payload of `DONE`.
    pub(crate) fn finish(&mut self, run: u32) -> (String, Value) {
        let mut text = String::new();
        loop {
            let frame = self.receive(run);
            match frame.kind {
                kind::TEXT => text.push_str(frame.text()),
                kind::DONE => return (text, frame.json()),
                _ => {}
            }
        }
    }

    /// Waits for the worker's end.
    pub(crate) fn exit(mut self) -> ExitStatus {
        let mut rest = Vec::new();
        // The end of the health socket is the end of the process.
        self.health.read_to_end(&mut rest).expect("the worker exits");
        self.child.wait().expect("a status")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // It may have exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The payload of `RUN`.
pub(crate) fn start_of(agent: &str, text: &str) -> Value {
    let content = json!([{ "type": "text", "text": text }]);
    let request = json!({ "input": [{ "role": "user", "content": content }] });
    json!({
        "id": "run_1", "agent": agent, "user_id": "u", "session_id": "s", "request": request, "earlier": [], "attempt": 1,
    })
}

/// A frame in bytes.
pub(crate) fn encode(kind: u8, flags: u8, run: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend([kind, flags, 0, 0]);
    bytes.extend(run.to_le_bytes());
    bytes.extend(payload);
    bytes
}

/// A long payload in frames of this size.
pub(crate) fn pieces(kind: u8, run: u32, payload: &[u8], size: usize) -> Vec<Vec<u8>> {
    let count = payload.len().div_ceil(size);
    let flags = |number: usize| if number + 1 < count { MORE } else { 0 };
    payload.chunks(size).enumerate().map(|(number, piece)| encode(kind, flags(number), run, piece)).collect()
}

/// Reads a frame.
pub(crate) fn read(socket: &mut UnixStream) -> std::io::Result<Frame> {
    let mut head = [0; 12];
    socket.read_exact(&mut head)?;
    let [l0, l1, l2, l3, kind, flags, p0, p1, r0, r1, r2, r3] = head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    assert!(length <= MAX_PAYLOAD, "a frame of {length} bytes");
    let mut payload = vec![0; length];
    socket.read_exact(&mut payload)?;
    let (part, run) = (u16::from_le_bytes([p0, p1]), u32::from_le_bytes([r0, r1, r2, r3]));
    Ok(Frame { kind, flags, part, run, payload })
}
