//! Starts a worker, up to the point where it is ready.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::error::WorkerError;
use crate::frame::{self, Decoder, Kind, MAX_PAYLOAD};
use crate::message::{
    self, AgentInfo, Applications, Failed, Hello, OLDEST_VERSION, Ready, StopSession, VERSION,
};
use crate::process::{Process, Program, Spawned, spawn};
use crate::runs::CREDIT;
use crate::timing::Timing;

/// What to run, and how often.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkersConfig {
    /// The program of each worker.
    pub program: Program,
    /// How many workers there are. All runs of a session are executed by the same one.
    pub count: usize,
    /// How long a worker may take to become ready.
    pub start_timeout: Duration,
    /// Loads the program anew whenever a Python file in this folder changes.
    pub reload_on_change: Option<PathBuf>,
    /// How much resident memory a worker may use, in bytes. One that uses more is replaced after its runs; one that uses a
    /// quarter more is killed.
    pub memory: Option<u64>,
    /// Receives the sessions whose runs the program wants to have cancelled; without it, nothing happens to them. The
    /// program's frames wait while the channel is full.
    pub stops: Option<mpsc::Sender<StopSession>>,
    #[doc(hidden)]
    pub timing: Timing,
}

impl WorkersConfig {
    /// One worker, which may take a minute to become ready.
    pub fn new(program: Program) -> Self {
        WorkersConfig {
            program,
            count: 1,
            start_timeout: Duration::from_secs(60),
            reload_on_change: None,
            memory: None,
            stops: None,
            timing: Timing::default(),
        }
    }
}

/// A worker that is ready.
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) data: UnixStream,
    pub(crate) health: UnixStream,
    pub(crate) decoder: Decoder,
    pub(crate) agents: Vec<AgentInfo>,
    pub(crate) applications: Applications,
    /// Where the program wants the server's own protocol to be.
    pub(crate) endpoint_path: Option<String>,
}

/// Starts a worker and waits until it is ready.
pub(crate) async fn start(config: &WorkersConfig) -> Result<Started, WorkerError> {
    let spawned = spawn(&config.program)
        .map_err(|error| WorkerError::Spawn { program: config.program.path.display().to_string(), error })?;
    timeout(config.start_timeout, handshake(spawned))
        .await
        .map_err(|_| WorkerError::Slow(config.start_timeout))?
}

/// Says hello, and waits for the worker's agents.
async fn handshake(spawned: Spawned) -> Result<Started, WorkerError> {
    let Spawned { mut process, mut data, health } = spawned;
    let hello =
        Hello { version: VERSION, oldest_version: OLDEST_VERSION, credit: CREDIT, max_frame: MAX_PAYLOAD };
    let payload = serde_json::to_vec(&hello).unwrap_or_default();
    for frame in frame::encode(Kind::Hello, 0, 0, &payload) {
        // If it has ended already, reading says so.
        let _ = data.write_all(&frame).await;
    }
    let mut decoder = Decoder::default();
    loop {
        if let Some(frame) = decoder.next().map_err(|error| WorkerError::Protocol(error.to_string()))? {
            let invalid = |error: serde_json::Error| WorkerError::Protocol(error.to_string());
            match frame.kind {
                Kind::Ready => {
                    let ready: Ready = message::read(&frame).map_err(invalid)?;
                    if !(OLDEST_VERSION..=VERSION).contains(&ready.version) {
                        return Err(WorkerError::Version { theirs: ready.version, ours: VERSION });
                    }
                    tracing::info!(
                        worker.pid = process.id(),
                        worker.language = ready.language,
                        "a worker is ready"
                    );
                    let Ready { agents, applications, endpoint_path, .. } = ready;
                    let started =
                        Started { process, data, health, decoder, agents, applications, endpoint_path };
                    return Ok(started);
                }
                Kind::Failed => {
                    let Failed { message, traceback } = message::read(&frame).map_err(invalid)?;
                    return Err(WorkerError::Load { message, traceback });
                }
                _ => return Err(WorkerError::Protocol(format!("{:?} came before READY", frame.kind))),
            }
        }
        if data.read_buf(&mut decoder.buffer).await.unwrap_or(0) == 0 {
            return Err(WorkerError::Ended { status: process.ended().await });
        }
    }
}
