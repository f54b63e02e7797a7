//! The runner: starts runs and tracks the active ones.

mod cancel;
mod children;
mod context;
mod delete;
mod execute;
mod lease;
mod options;
mod recovery_guard;
mod refused;
mod run;
mod run_task;
mod start;
mod watch;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::Waker;

use agent_schemas::RunId;
use agent_services::run::OwnerId;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::child::StartChild;
use crate::live::LiveRun;
use crate::{Agent, AgentInfo, ByteBudget, Services};

pub use context::{ContextError, RunContext};
pub use delete::{Deleted, delete_session, delete_user};
pub use options::{BuildError, RunLimits, StartError};
pub use run::{PositionError, Run};

/// Collects the parts of a [`Runner`].
#[derive(Debug, Default)]
pub struct RunnerBuilder {
    agents: Vec<(String, Arc<dyn Agent>)>,
    default_agent: Option<String>,
    /// Further names, each with its agent.
    models: Vec<(String, String)>,
    services: Services,
    limits: RunLimits,
}

impl RunnerBuilder {
    /// Adds an agent. A request chooses an agent by naming it as its `model`; without a `model` it gets the first.
    ///
    /// A single agent answers every request. With several agents, a request for an unknown name fails, unless
    /// there is a [`default_agent`](Self::default_agent).
    #[must_use]
    pub fn agent(mut self, name: impl Into<String>, agent: impl Agent) -> Self {
        self.agents.push((name.into(), Arc::new(agent)));
        self
    }

    /// Lets requests also choose an agent by the models that it may use. The name of an agent has priority over a
    /// model.
    #[must_use]
    pub fn models(mut self, agent: &str, models: impl IntoIterator<Item = String>) -> Self {
        self.models.extend(models.into_iter().map(|model| (model, agent.to_owned())));
        self
    }

    /// Sets the agent that answers requests whose `model` is missing or unknown.
    #[must_use]
    pub fn default_agent(mut self, name: impl Into<String>) -> Self {
        self.default_agent = Some(name.into());
        self
    }

    /// Uses these services instead of ones in memory.
    #[must_use]
    pub fn services(mut self, services: Services) -> Self {
        self.services = services;
        self
    }

    /// Uses these limits instead of the defaults.
    #[must_use]
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Builds the runner.
    ///
    /// # Errors
    /// [`BuildError`] if there is no agent, two have the same name, or the default one does not exist.
    pub fn build(mut self) -> Result<Runner, BuildError> {
        for (position, (name, _)) in self.agents.iter().enumerate() {
            if self.agents[..position].iter().any(|(earlier, _)| earlier == name) {
                return Err(BuildError::DuplicateName(name.clone()));
            }
        }
        if self.agents.is_empty() {
            return Err(BuildError::NoAgent);
        }
        let takes_any_model = self.agents.len() == 1 || self.default_agent.is_some();
        if let Some(name) = self.default_agent {
            let Some(position) = self.agents.iter().position(|(known, _)| *known == name) else {
                return Err(BuildError::UnknownDefault(name));
            };
            self.agents[..=position].rotate_right(1);
        }
        let slots = Arc::new(Semaphore::new(self.limits.max_runs.min(Semaphore::MAX_PERMITS)));
        let owner = OwnerId::new(self.services.ids.random());
        Ok(Runner(Arc::new_cyclic(|inner| Inner {
            children: children::starter(inner),
            agents: self.agents,
            models: self.models,
            takes_any_model,
            services: self.services,
            slots,
            memory: ByteBudget::new(self.limits.memory_bytes),
            unstored: ByteBudget::new(self.limits.unstored_bytes),
            limits: self.limits,
            waiting: AtomicUsize::new(0),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            owner,
            lease: lease::Lease::default(),
            live: Mutex::default(),
            recovering: Mutex::default(),
            watch: OnceCell::new(),
        })))
    }
}

/// Starts runs. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Runner(Arc<Inner>);

pub(crate) struct Inner {
    /// The default one first.
    agents: Vec<(String, Arc<dyn Agent>)>,
    models: Vec<(String, String)>,
    /// Whether the default agent also answers requests for unknown names.
    takes_any_model: bool,
    /// The interface through which runs start their children.
    children: Arc<dyn StartChild>,
    services: Services,
    limits: RunLimits,
    slots: Arc<Semaphore>,
    /// The budget for the memory that runs keep until they have ended.
    memory: ByteBudget,
    /// The budget for output of runs that is not stored yet.
    unstored: ByteBudget,
    /// How many runs wait for a slot.
    waiting: AtomicUsize,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// The name of this process in the run store.
    owner: OwnerId,
    lease: lease::Lease,
    /// The runs that this process executes, and ended ones that still have readers.
    live: Mutex<HashMap<RunId, Arc<LiveRun>, RandomState>>,
    /// The runs that this process is about to take over.
    recovering: Mutex<HashSet<RunId, RandomState>>,
    /// The runner's background tasks; they end with it.
    watch: OnceCell<watch::Watch>,
}

impl Runner {
    /// Creates a builder.
    pub fn builder() -> RunnerBuilder {
        RunnerBuilder::default()
    }

    /// The names of the agents, the default agent first.
    pub fn agent_names(&self) -> impl Iterator<Item = &str> {
        self.0.agents.iter().map(|(name, _)| name.as_str())
    }

    /// What an agent tells its callers about itself.
    pub fn agent_info(&self, name: &str) -> Option<AgentInfo> {
        self.0.agents.iter().find(|(known, _)| known == name).map(|(_, agent)| agent.info())
    }

    /// Whether the agent for this model can be asked for a summary; see [`Agent::summarizes`].
    ///
    /// # Errors
    /// [`StartError`] if there is no such agent.
    pub fn summarizes(&self, model: Option<&str>) -> Result<bool, StartError> {
        let (_, agent) = self.0.choose_agent(model)?;
        Ok(agent.summarizes())
    }

    /// The limits of runs.
    pub fn limits(&self) -> &RunLimits {
        &self.0.limits
    }

    /// The services that runs use.
    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// Rejects new runs from now on. Runs that wait for a session keep waiting, for another process or for the next
    /// start.
    pub fn close(&self) {
        self.0.tasks.close();
    }

    /// Whether new runs are rejected.
    pub fn is_closed(&self) -> bool {
        self.0.tasks.is_closed()
    }

    /// Cancels every run that this process executes.
    pub fn cancel_all(&self) {
        self.0.stop.cancel();
    }

    /// Resolves when the runner is closed and all its runs have ended and have no readers.
    pub async fn drained(&self) {
        self.0.tasks.wait().await;
    }

    /// The number of active runs in this process.
    pub fn active_runs(&self) -> usize {
        let inner = &*self.0;
        inner.limits.max_runs.min(Semaphore::MAX_PERMITS) - inner.slots.available_permits()
    }

    /// The process that executes the next run of a session; `None` while this process is shutting down.
    pub(crate) fn next_owner(&self) -> Option<&OwnerId> {
        (!self.0.tasks.is_closed()).then_some(&self.0.owner)
    }

    /// Returns whether agents may write more; if not, wakes the task when they may.
    pub(crate) fn has_room(&self, waker: &Waker) -> bool {
        self.0.unstored.is_within(waker)
    }

    /// Waits for room for one more run.
    pub(crate) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.slots).acquire_owned().await.ok()
    }

    /// Counts a run that waits for a slot, as long as the result lives.
    pub(crate) fn waiting(&self) -> impl Sized + use<> {
        struct Waiting(Runner);
        impl Drop for Waiting {
            fn drop(&mut self) {
                self.0.0.waiting.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(self.clone())
    }

    /// Drops an ended run without readers. A lost run may be executed here again.
    pub(crate) fn forget(&self, run: &Arc<LiveRun>) {
        let mut live = self.0.live.lock();
        if live.get(&run.record.id).is_some_and(|known| Arc::ptr_eq(known, run)) {
            live.remove(&run.record.id);
        }
    }

    fn live(&self, id: &RunId) -> Option<Arc<LiveRun>> {
        self.0.live.lock().get(id).cloned()
    }

    fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agents: Vec<_> = self.agent_names().collect();
        f.debug_struct("Runner").field("agents", &agents).finish_non_exhaustive()
    }
}
