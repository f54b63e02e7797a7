//! The workers of a program.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{SessionId, UserId};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::changes::wait_for_change;
use crate::connection::Connection;
use crate::error::{PATIENCE, WorkerError};
use crate::message::AgentInfo;
use crate::start::{WorkersConfig, start};
use crate::supervise::{Slot, Supervisor};

/// How long workers may take to exit when the server stops.
const EXIT: Duration = Duration::from_secs(2);

/// Processes that execute agents. A worker that ends is replaced; dropping this kills all of them.
pub struct Workers {
    slots: Vec<Arc<Slot>>,
    /// Tells each supervisor that the script has changed.
    reloads: Vec<Arc<Notify>>,
    agents: Vec<AgentInfo>,
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
            slots: Vec::new(),
            reloads: Vec::new(),
            agents: Vec::new(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        for _ in 0..config.count.max(1) {
            let started = start(&config).await?;
            workers.agents.clone_from(&started.agents);
            let supervisor = Supervisor {
                config: config.clone(),
                slot: Arc::new(watch::Sender::new(None)),
                reload: Arc::new(Notify::new()),
                stopping: workers.stopping.clone(),
                tasks: workers.tasks.clone(),
            };
            workers.slots.push(Arc::clone(&supervisor.slot));
            workers.reloads.push(Arc::clone(&supervisor.reload));
            workers.tasks.spawn(supervisor.run(started));
        }
        Ok(Arc::new(workers))
    }

    /// The agents that the workers had when they were started.
    pub fn agents(&self) -> &[AgentInfo] {
        &self.agents
    }

    /// Loads the program anew: new runs get new workers as soon as these are ready, and the old ones exit after their last
    /// run. If a new one does not become ready, the old one stays.
    pub fn reload(&self) {
        self.reloads.iter().for_each(|reload| reload.notify_one());
    }

    /// Reloads whenever a Python file in this folder changes, until the workers stop.
    pub fn reload_on_change(self: &Arc<Self>, folder: PathBuf) {
        let (workers, stopping) = (Arc::downgrade(self), self.stopping.clone());
        self.tasks.spawn(stopping.run_until_cancelled_owned(async move {
            let mut files = wait_for_change(&folder, None).await;
            loop {
                files = wait_for_change(&folder, Some(files)).await;
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
        let count = self.slots.len();
        f.debug_struct("Workers").field("count", &count).field("agents", &self.agents).finish_non_exhaustive()
    }
}
