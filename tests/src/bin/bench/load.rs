//! Full load: connections that send one request after another.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use futures_util::future::try_join_all;
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::Server;
use crate::report::{Measured, Report, percentile};
use crate::store::Store;
use crate::{Arguments, pair};

/// The end of a chunked body. No SSE frame contains it.
const END: &[u8] = b"\r\n0\r\n\r\n";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) words: usize,
    pub(crate) connections: usize,
    pub(crate) yields: bool,
    /// Runs a round, over all connections.
    pub(crate) runs: usize,
}

impl Workload {
    pub(crate) fn all(quick: bool) -> Vec<Workload> {
        let mut all = Vec::new();
        for (words, runs) in [(20, 12_000), (500, 2_000)] {
            for connections in [1, 16, 256] {
                for yields in [false, true] {
                    let runs = if quick { runs / 20 } else { runs };
                    all.push(Workload { words, connections, yields, runs: runs.max(connections) });
                }
            }
        }
        all
    }

    pub(crate) fn name(&self) -> String {
        let mode = if self.yields { ", yielding" } else { "" };
        format!("{} words, {} connections{mode}", self.words, self.connections)
    }

    /// The arguments of the real server.
    pub(crate) fn ours(&self) -> &'static [&'static str] {
        if self.yields { &["--config", "tests/bench/yielding.toml"] } else { &["--agent", "echo"] }
    }

    /// The request's further members: the floor yields if they say so.
    fn extra(&self) -> &'static str {
        if self.yields { r#","yields":true"# } else { "" }
    }

    /// The number of events of a run: two at the start, one per word, and four around and after them.
    fn events(&self) -> usize {
        self.words + 6
    }
}

/// The bytes of one request. It names no session, so that each run gets a new one: a common session would soon be full.
pub(crate) fn request(words: usize, extra: &str) -> Vec<u8> {
    request_to("/process", words, extra)
}

/// The same for another path.
pub(crate) fn request_to(path: &str, words: usize, extra: &str) -> Vec<u8> {
    let text = vec!["word"; words].join(" ");
    let body =
        format!(r#"{{"input":[{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}]{extra}}}"#);
    post(path, &body)
}

/// A request's bytes.
pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// Measures both servers in turn, several times, and also ours with persistent stores; returns the median of each.
pub(crate) async fn compare(
    workload: &Workload,
    ours: &[&str],
    arguments: &Arguments,
    report: &mut Report,
) -> Result<Vec<(&'static str, Measured)>> {
    let servers = pair(arguments, ours).await?;
    let mut storing = Vec::new();
    for store in Store::DURABLE {
        storing.push(Server::storing(&arguments.server()?, ours, store).await?);
    }
    let request = request(workload.words, workload.extra());
    let rounds = if arguments.quick { 1 } else { arguments.rounds };
    let mut measured: [Vec<Measured>; 2] = [Vec::new(), Vec::new()];
    let mut stored = Store::DURABLE.map(|store| (store.name(), Vec::new()));
    for server in servers.iter().chain(&storing) {
        full_load(server, workload, &request, workload.runs / 10 + workload.connections).await?;
    }
    for _ in 0..rounds {
        for (server, measured) in servers.iter().zip(&mut measured) {
            measured.push(full_load(server, workload, &request, workload.runs).await?);
        }
        for (server, (_, stored)) in storing.iter().zip(&mut stored) {
            stored.push(full_load(server, workload, &request, workload.runs).await?);
        }
    }
    // Both get the same load: half of the slower one's maximum.
    let fastest = measured.iter().flatten().map(|round| round.runs_per_second).fold(f64::INFINITY, f64::min);
    for (server, measured) in servers.iter().zip(&mut measured) {
        let waits = half_load(server, workload, &request, fastest / 2.0).await?;
        for round in measured.iter_mut() {
            round.half_load_p99 = percentile(&waits, 0.99);
        }
        if let Some(last) = measured.last_mut() {
            last.peak = server.peak()?;
        }
    }
    Ok(report.load(&workload.name(), measured, &stored))
}

/// One round over all connections.
pub(crate) async fn full_load(
    server: &Server,
    workload: &Workload,
    request: &[u8],
    runs: usize,
) -> Result<Measured> {
    let mut connections = Vec::new();
    for _ in 0..workload.connections {
        connections.push(Connection::open(&server.address).await?);
    }
    let each = runs / workload.connections;
    let cpu = server.cpu_time()?;
    let started = Instant::now();
    let waits = try_join_all(connections.iter_mut().map(|connection| async {
        let mut waits = Vec::with_capacity(each);
        for _ in 0..each {
            waits.push(connection.run(request).await?);
        }
        anyhow::Ok(waits)
    }));
    let waits: Vec<Duration> = waits.await?.into_iter().flatten().collect();
    let elapsed = started.elapsed();
    let cpu = server.cpu_time()? - cpu;
    let runs = u32::try_from(waits.len())?;
    let runs_per_second = f64::from(runs) / elapsed.as_secs_f64();
    Ok(Measured {
        cpu_per_run: cpu / runs,
        cpu_per_event: cpu / runs / u32::try_from(workload.events())?,
        runs_per_second,
        events_per_second: runs_per_second * workload.events() as f64,
        first_event_p50: percentile(&waits, 0.5),
        first_event_p99: percentile(&waits, 0.99),
        half_load_p99: Duration::ZERO,
        peak: 0,
    })
}

/// The waits for the first event when runs are started at a steady pace.
///
/// Threads, because the runtime's timers have steps of a millisecond, which would send requests in bursts.
async fn half_load(
    server: &Server,
    workload: &Workload,
    request: &[u8],
    runs_per_second: f64,
) -> Result<Vec<Duration>> {
    let connections = workload.connections;
    let each = (workload.runs / connections / 2).clamp(1, 2000);
    let pause = Duration::from_secs_f64(connections as f64 / runs_per_second);
    let started = Instant::now() + Duration::from_millis(50);
    let threads: Vec<_> = (0..connections)
        .map(|position| {
            let (address, request) = (server.address.clone(), request.to_vec());
            let due = started + pause.mul_f64(position as f64 / connections as f64);
            std::thread::spawn(move || steady(&address, &request, due, pause, each))
        })
        .collect();
    tokio::task::spawn_blocking(move || {
        let mut waits = Vec::new();
        for thread in threads {
            waits.extend(thread.join().map_err(|_| anyhow!("a connection's thread panicked"))??);
        }
        Ok(waits)
    })
    .await?
}

/// Sends a request whenever one is due; returns the time to each first event.
fn steady(
    address: &str,
    request: &[u8],
    mut due: Instant,
    pause: Duration,
    runs: usize,
) -> Result<Vec<Duration>> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut waits = Vec::with_capacity(runs);
    let mut buffer = vec![0; 256 * 1024];
    for _ in 0..runs {
        #[expect(
            clippy::disallowed_methods,
            reason = "this thread's only task is to wait for the next request's time"
        )]
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        due += pause;
        let sent = Instant::now();
        stream.write_all(request)?;
        let mut length = 0;
        let mut is_first = true;
        while !buffer[..length].ends_with(END) {
            if length > buffer.len() / 2 {
                buffer.copy_within(length - END.len()..length, 0);
                length = END.len();
            }
            let read = stream.read(&mut buffer[length..])?;
            ensure!(read > 0, "the server closed the connection");
            length += read;
            if is_first && memmem::find(&buffer[..length], b"data: ").is_some() {
                waits.push(sent.elapsed());
                is_first = false;
            }
        }
    }
    Ok(waits)
}

/// A keep-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(256 * 1024) })
    }

    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<()> {
        self.buffer.clear();
        Ok(self.stream.write_all(request).await?)
    }

    /// Reads the available bytes; returns whether the answer is complete.
    pub(crate) async fn read(&mut self) -> Result<bool> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the server closed the connection");
        Ok(self.buffer.ends_with(END))
    }

    /// A header of the answer that was read.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = &self.buffer[..memmem::find(&self.buffer, b"\r\n\r\n")?];
        let head = std::str::from_utf8(head).ok()?;
        let mut headers = head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    }

    /// Reads an answer whose head has the length of its body.
    pub(crate) async fn short_answer(&mut self) -> Result<&[u8]> {
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
            let head = memmem::find(&self.buffer, b"\r\n\r\n").map(|end| end + 4);
            let length = self.header("content-length").and_then(|length| length.parse::<usize>().ok());
            if let (Some(head), Some(length)) = (head, length)
                && self.buffer.len() >= head + length
            {
                return Ok(&self.buffer);
            }
        }
    }

    /// What has been read of this answer.
    pub(crate) fn received(&self) -> &[u8] {
        &self.buffer
    }

    /// Drops the bytes that have been read, except those that may be the beginning of the end.
    pub(crate) fn forget(&mut self) {
        let keep = self.buffer.len().min(END.len());
        self.buffer.drain(..self.buffer.len() - keep);
    }

    /// The complete lines that have been read.
    pub(crate) fn lines(&self) -> &[u8] {
        &self.buffer[..self.lines_end()]
    }

    fn lines_end(&self) -> usize {
        memchr::memrchr(b'\n', &self.buffer).map_or(0, |last| last + 1)
    }

    /// Drops the complete lines, except bytes that may be the beginning of the end.
    pub(crate) fn forget_lines(&mut self) {
        let end = self.lines_end().min(self.buffer.len().saturating_sub(END.len()));
        self.buffer.drain(..end);
    }

    /// Sends a request and reads the whole answer; returns the time to the first event.
    pub(crate) async fn run(&mut self, request: &[u8]) -> Result<Duration> {
        let started = Instant::now();
        self.send(request).await?;
        let mut first = None;
        loop {
            let whole = self.read().await?;
            if first.is_none() && memmem::find(&self.buffer, b"data: ").is_some() {
                ensure!(
                    self.buffer.starts_with(b"HTTP/1.1 200"),
                    "{}",
                    String::from_utf8_lossy(&self.buffer)
                );
                first = Some(started.elapsed());
            }
            if whole {
                return first.context("the answer has no event");
            }
        }
    }
}
