//! Keeps workers running.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{SessionId, UserId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::agent::WorkerAgent;
use crate::connection::{CREDIT, Connection};
use crate::error::WorkerError;
use crate::frame::{self, Decoder, Kind, MAX_PAYLOAD};
use crate::message::{self, AgentInfo, Failed, Hello, Ready, VERSION};
use crate::process::{Process, Program, Spawned, spawn};

/// How often a worker is asked for a sign of life, and how long it may stay silent.
const PING: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(60);

/// The pauses between starts, while workers end soon after they were started.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A worker that has lived this long was not part of a series of crashes.
const STABLE: Duration = Duration::from_secs(60);

/// How long a new run waits for a worker that is being replaced.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How long a worker that has closed its socket may take to exit.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// How long workers may take to exit when the server stops.
const EXIT: Duration = Duration::from_secs(2);

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
}

impl WorkersConfig {
    /// One worker, which may take a minute to become ready.
    pub fn new(program: Program) -> Self {
        WorkersConfig { program, count: 1, start_timeout: Duration::from_secs(60) }
    }
}

/// Processes that execute agents. A worker that ends is replaced; dropping this kills all of them.
pub struct Workers {
    slots: Vec<Arc<Slot>>,
    agents: Vec<AgentInfo>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// The place of one worker: empty while there is none that is ready.
type Slot = watch::Sender<Option<Arc<Connection>>>;

/// A worker that is ready.
struct Started {
    process: Process,
    data: UnixStream,
    health: UnixStream,
    decoder: Decoder,
    agents: Vec<AgentInfo>,
}

impl Workers {
    /// Starts all workers and waits until they are ready. From then on, a worker that ends is replaced.
    ///
    /// # Errors
    /// [`WorkerError`] if one of them does not become ready.
    ///
    /// # Cancellation
    /// Dropping the future kills what has been started.
    pub async fn start(config: WorkersConfig) -> Result<Arc<Self>, WorkerError> {
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (mut slots, mut agents) = (Vec::new(), Vec::new());
        for _ in 0..config.count.max(1) {
            let started = start(&config).await?;
            agents.clone_from(&started.agents);
            let slot = Arc::new(watch::Sender::new(None));
            let stopped = stopping.clone().cancelled_owned();
            let supervised = supervise(config.clone(), Arc::clone(&slot), started);
            tasks.spawn(async move {
                tokio::select! {
                    () = supervised => {}
                    () = stopped => {}
                }
            });
            slots.push(slot);
        }
        tasks.close();
        Ok(Arc::new(Workers { slots, agents, stopping, tasks }))
    }

    /// The agents that the workers have.
    pub fn agents(&self) -> &[AgentInfo] {
        &self.agents
    }

    /// One of the agents.
    pub fn agent(self: &Arc<Self>, name: &str) -> Option<WorkerAgent> {
        let info = self.agents.iter().find(|info| info.name == name)?;
        Some(WorkerAgent::new(Arc::clone(self), info.name.clone(), info.recovery()))
    }

    /// Stops all workers, and waits for a short time until they have exited.
    pub async fn stop(&self) {
        self.stopping.cancel();
        // Each task kills its worker when it ends.
        let _ = timeout(EXIT, self.tasks.wait()).await;
    }

    /// The worker that executes the runs of a session. One that is about to start is waited for; `None` if that takes too
    /// long.
    pub(crate) async fn of_session(&self, user: &UserId, session: &SessionId) -> Option<Arc<Connection>> {
        let mut hasher = DefaultHasher::new();
        (user, session).hash(&mut hasher);
        let place = hasher.finish() % self.slots.len() as u64;
        let mut slot = self.slots.get(usize::try_from(place).ok()?)?.subscribe();
        let ready = timeout(PATIENCE, slot.wait_for(Option::is_some)).await.ok()?.ok()?;
        ready.clone()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("count", &self.slots.len())
            .field("agents", &self.agents)
            .finish_non_exhaustive()
    }
}

/// Starts a worker and waits until it is ready.
async fn start(config: &WorkersConfig) -> Result<Started, WorkerError> {
    let spawned = spawn(&config.program)
        .map_err(|error| WorkerError::Spawn { program: config.program.path.display().to_string(), error })?;
    timeout(config.start_timeout, handshake(spawned))
        .await
        .map_err(|_| WorkerError::Slow(config.start_timeout))?
}

/// Says hello, and waits for the worker's agents.
async fn handshake(spawned: Spawned) -> Result<Started, WorkerError> {
    let Spawned { mut process, mut data, health } = spawned;
    let hello = Hello { version: VERSION, credit: CREDIT, max_frame: MAX_PAYLOAD };
    let payload = serde_json::to_vec(&hello).unwrap_or_default();
    for frame in frame::encode(Kind::Hello, 0, 0, &payload) {
        // If it has ended already, reading says so.
        let _ = data.write_all(&frame).await;
    }
    let mut decoder = Decoder::default();
    loop {
        while let Some(frame) = decoder.next().map_err(|error| WorkerError::Protocol(error.to_string()))? {
            let invalid = |error: serde_json::Error| WorkerError::Protocol(error.to_string());
            match frame.kind {
                Kind::Ready => {
                    let ready: Ready = message::read(&frame).map_err(invalid)?;
                    if ready.version != VERSION {
                        return Err(WorkerError::Version { theirs: ready.version, ours: VERSION });
                    }
                    tracing::info!(
                        worker.pid = process.id(),
                        worker.language = ready.language,
                        "a worker is ready"
                    );
                    return Ok(Started { process, data, health, decoder, agents: ready.agents });
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

/// Keeps one worker running.
async fn supervise(config: WorkersConfig, slot: Arc<Slot>, first: Started) {
    let (mut started, mut pause) = (Some(first), FIRST_PAUSE);
    loop {
        let began = Instant::now();
        if let Some(worker) = started.take() {
            serve(&slot, worker).await;
        }
        if began.elapsed() >= STABLE {
            pause = FIRST_PAUSE;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        match start(&config).await {
            Ok(worker) => started = Some(worker),
            Err(error) => {
                tracing::error!(error = %error, retry_seconds = pause.as_secs_f32(), "a worker could not be started")
            }
        }
    }
}

/// Hands runs to a worker until it is gone.
async fn serve(slot: &Slot, worker: Started) {
    let Started { mut process, data, health, decoder, .. } = worker;
    let id = process.id();
    let (connection, serving) = Connection::open(data, decoder);
    slot.send_replace(Some(connection));
    let broken = tokio::select! {
        broken = serving => broken.err(),
        () = listen(health) => Some("it gave no sign of life".to_owned()),
    };
    slot.send_replace(None);
    let why = match broken {
        Some(why) => why,
        None => {
            let exited = timeout(LAST_BREATH, process.ended()).await;
            exited.unwrap_or_else(|_| "it has closed its socket".to_owned())
        }
    };
    process.kill();
    tracing::error!(
        worker.pid = id,
        reason = why,
        "a worker has ended; its runs fail, and another one is started"
    );
}

/// Resolves when the worker is silent for too long.
async fn listen(mut health: UnixStream) {
    let (mut ticks, mut heard) = (interval(PING), Instant::now());
    let mut answer = [0; 1024];
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                if heard.elapsed() > SILENCE {
                    return;
                }
                for ping in frame::encode(Kind::Ping, 0, 0, b"{}") {
                    // The end of the process is noticed elsewhere.
                    let _ = health.try_write(&ping);
                }
            }
            read = health.read(&mut answer) => match read {
                Ok(1..) => heard = Instant::now(),
                // The end of the process is noticed elsewhere, and a worker without a health thread is silent.
                _ => {
                    sleep(SILENCE.saturating_sub(heard.elapsed())).await;
                    return;
                }
            },
        }
    }
}
