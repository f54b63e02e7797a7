//! The runner: starts runs and knows those that are under way.

mod cancel;
mod children;
mod delete;
mod execute;
mod options;
mod recovery_guard;
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
use crate::{Agent, ByteBudget, Services};

pub use delete::{Deleted, delete_session, delete_user};
pub use options::{BuildError, RunLimits, StartError};
pub use run::{PositionError, Run};

/// Collects what a [`Runner`] needs.
#[derive(Debug, Default)]
pub struct RunnerBuilder {
    agents: Vec<(String, Arc<dyn Agent>)>,
    default_agent: Option<String>,
    /// Further names of agents, and whose they are.
    models: Vec<(String, String)>,
    services: Services,
    limits: RunLimits,
}

impl RunnerBuilder {
    /// Adds an agent. A request chooses one by naming it as its `model`; without a model it gets the first.
    ///
    /// One that is the only agent answers every request. Of several, none answers a request for an unknown name, unless there
    /// is a [`default_agent`](Self::default_agent).
    #[must_use]
    pub fn agent(mut self, name: impl Into<String>, agent: impl Agent) -> Self {
        self.agents.push((name.into(), Arc::new(agent)));
        self
    }

    /// Lets requests choose an agent by the models that it may use as well. A name of an agent goes before a model.
    #[must_use]
    pub fn models(mut self, agent: &str, models: impl IntoIterator<Item = String>) -> Self {
        self.models.extend(models.into_iter().map(|model| (model, agent.to_owned())));
        self
    }

    /// Lets an agent answer the requests that name no agent, or an unknown one.
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
            live: Mutex::default(),
            recovering: Mutex::default(),
            watch: OnceCell::new(),
        })))
    }
}

/// Starts runs. Cheap to clone; the clones share everything.
#[derive(Clone)]
pub struct Runner(Arc<Inner>);

pub(crate) struct Inner {
    /// The default one first.
    agents: Vec<(String, Arc<dyn Agent>)>,
    models: Vec<(String, String)>,
    /// Whether the default one also answers requests for an unknown name.
    takes_any_model: bool,
    /// What runs start their children with.
    children: Arc<dyn StartChild>,
    services: Services,
    limits: RunLimits,
    slots: Arc<Semaphore>,
    /// What runs keep in memory until they have ended.
    memory: ByteBudget,
    /// What runs have written that the store does not have.
    unstored: ByteBudget,
    /// How many runs wait for a slot.
    waiting: AtomicUsize,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// What this process is called in the run store.
    owner: OwnerId,
    /// The runs that this process executes, and those that have ended and are still read.
    live: Mutex<HashMap<RunId, Arc<LiveRun>, RandomState>>,
    /// The runs that this process is about to take over.
    recovering: Mutex<HashSet<RunId, RandomState>>,
    /// The tasks beside the runs; they end with this.
    watch: OnceCell<watch::Watch>,
}

impl Runner {
    /// Starts to build a runner.
    pub fn builder() -> RunnerBuilder {
        RunnerBuilder::default()
    }

    /// The names of the agents, the default one first.
    pub fn agent_names(&self) -> impl Iterator<Item = &str> {
        self.0.agents.iter().map(|(name, _)| name.as_str())
    }

    /// What runs may use.
    pub fn limits(&self) -> &RunLimits {
        &self.0.limits
    }

    /// The services that runs use.
    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// Refuses new runs from now on. Those that wait for a session go on waiting, for another process or for the next
    /// start.
    pub fn close(&self) {
        self.0.tasks.close();
    }

    /// Whether new runs are refused.
    pub fn is_closed(&self) -> bool {
        self.0.tasks.is_closed()
    }

    /// Cancels every run that this process executes.
    pub fn cancel_all(&self) {
        self.0.stop.cancel();
    }

    /// Resolves when the runner is closed and all its runs have ended and been read.
    pub async fn drained(&self) {
        self.0.tasks.wait().await;
    }

    /// How many runs are under way here.
    pub fn active_runs(&self) -> usize {
        let inner = &*self.0;
        inner.limits.max_runs.min(Semaphore::MAX_PERMITS) - inner.slots.available_permits()
    }

    /// Who executes what is next in a session; nobody while this process is about to end.
    pub(crate) fn next_owner(&self) -> Option<&OwnerId> {
        (!self.0.tasks.is_closed()).then_some(&self.0.owner)
    }

    /// Whether agents may write more; otherwise a task is woken when they may.
    pub(crate) fn has_room(&self, waker: &Waker) -> bool {
        self.0.unstored.is_within(waker)
    }

    /// Waits for room for one more run.
    pub(crate) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.slots).acquire_owned().await.ok()
    }

    /// Counts one that waits for room, while the result lives.
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

    /// Forgets a run that has ended and has no more readers. One that was lost may be executed here anew.
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
