//! The workers of a program.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agent_schemas::Error;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::changes::PythonFiles;
use crate::connection::{Connection, Link};
use crate::error::{PATIENCE, WorkerError, unavailable};
use crate::message::{AgentInfo, StartRun};
use crate::start::{WorkersConfig, start};
use crate::supervise::{Availability, Supervisor};

/// How long workers may take to exit when the server stops.
const EXIT: Duration = Duration::from_secs(2);

/// Processes that execute agents. A worker that ends is replaced; dropping this kills all of them.
pub struct Workers {
    places: Vec<Arc<watch::Sender<Availability>>>,
    /// Tells each supervisor that the script has changed.
    reloads: Vec<Arc<Notify>>,
    agents: Vec<AgentInfo>,
    endpoint_path: Option<String>,
    /// Whether the newest worker decides what the server may answer.
    pub(crate) has_checks: Arc<AtomicBool>,
    stopping: CancellationToken,
    tasks: TaskTracker,
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
        let mut workers = Workers {
            places: Vec::new(),
            reloads: Vec::new(),
            agents: Vec::new(),
            endpoint_path: None,
            has_checks: Arc::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        // What changes while the workers start is noticed, too.
        let files = match &config.reload_on_change {
            Some(folder) => Some(PythonFiles::of(folder, config.timing.changes).await),
            None => None,
        };
        for _ in 0..config.count.max(1) {
            let started = start(&config).await?;
            workers.agents.clone_from(&started.agents);
            workers.endpoint_path.clone_from(&started.endpoint_path);
            workers.has_checks.store(started.applications.checks, Ordering::Relaxed);
            let supervisor = Supervisor {
                config: config.clone(),
                availability: Arc::new(watch::Sender::new(Availability::Soon)),
                reload: Arc::new(Notify::new()),
                has_checks: Arc::clone(&workers.has_checks),
                stopping: workers.stopping.clone(),
                tasks: workers.tasks.clone(),
            };
            workers.places.push(Arc::clone(&supervisor.availability));
            workers.reloads.push(Arc::clone(&supervisor.reload));
            workers.tasks.spawn(supervisor.run(started));
        }
        let workers = Arc::new(workers);
        if let Some(files) = files {
            workers.reload_on_change(files);
        }
        Ok(workers)
    }

    /// The agents that the workers had when they were started.
    pub fn agents(&self) -> &[AgentInfo] {
        &self.agents
    }

    /// Where the program wants the server's own protocol to be, if it says so.
    pub fn endpoint_path(&self) -> Option<&str> {
        self.endpoint_path.as_deref()
    }

    /// Loads the program anew: new runs get new workers as soon as these are ready, and the old ones exit after their last
    /// run. If a new one does not become ready, the old one stays.
    pub fn reload(&self) {
        self.reloads.iter().for_each(|reload| reload.notify_one());
    }

    /// Loads the program anew whenever the files differ from those before, until the workers stop.
    fn reload_on_change(self: &Arc<Self>, mut files: PythonFiles) {
        let (workers, stopping) = (Arc::downgrade(self), self.stopping.clone());
        self.tasks.spawn(stopping.run_until_cancelled_owned(async move {
            loop {
                files.wait_for_change().await;
                let Some(workers) = workers.upgrade() else { return };
                tracing::info!("a Python file has changed; loading the agents anew");
                workers.reload();
            }
        }));
    }

    /// Stops all workers, and waits for a short time until they have exited.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
        // Each task kills its worker when it ends.
        let _ = timeout(EXIT, self.tasks.wait()).await;
    }

    /// Starts a run in the worker of its session. A worker that may be ready soon is waited for. A run that has lost its
    /// worker waits as long as it takes.
    ///
    /// # Errors
    /// If no worker is ready in time.
    pub(crate) async fn start_run(&self, run: &StartRun<'_>) -> Result<Link, Error> {
        let mut hasher = DefaultHasher::new();
        (run.user_id, run.session_id).hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % self.places.len() as u64).unwrap_or_default();
        let deadline = (run.attempt == 1).then(|| Instant::now() + PATIENCE);
        self.with_worker(place, deadline, |worker| worker.start(run)).await
    }

    /// Hands something to the worker in a place. A worker that takes nothing any more is about to be replaced.
    ///
    /// # Errors
    /// If no worker is ready before the deadline.
    pub(crate) async fn with_worker<T>(
        &self,
        place: usize,
        deadline: Option<Instant>,
        hand_over: impl Fn(&Arc<Connection>) -> Option<T>,
    ) -> Result<T, Error> {
        let mut place = self.places.get(place).ok_or_else(|| unavailable(PATIENCE))?.subscribe();
        loop {
            let availability = place.borrow_and_update().clone();
            match availability {
                Availability::Ready(worker) => {
                    if let Some(taken) = hand_over(&worker) {
                        return Ok(taken);
                    }
                }
                Availability::Soon => {}
                Availability::Later(time) if deadline.is_some() => {
                    return Err(unavailable(time - Instant::now()));
                }
                Availability::Later(_) => {}
            }
            let changed = match deadline {
                Some(deadline) => {
                    timeout_at(deadline, place.changed()).await.is_ok_and(|changed| changed.is_ok())
                }
                None => place.changed().await.is_ok(),
            };
            if !changed {
                return Err(unavailable(PATIENCE));
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.places.len();
        f.debug_struct("Workers").field("count", &count).field("agents", &self.agents).finish_non_exhaustive()
    }
}
