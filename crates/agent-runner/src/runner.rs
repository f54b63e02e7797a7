//! The runner: starts runs and knows those that are under way.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use agent_schemas::id::{message_id, response_id};
use agent_schemas::{AgentRequest, AgentResponse, Error, Event, RunId, SessionId, UserId};
use agent_services::run::RunRecord;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assemble::{Assembler, ResponseHead};
use crate::cursor::{Cursor, CursorError};
use crate::drive::Drive;
use crate::live::LiveRun;
use crate::{Agent, Services};

/// What a run may use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunLimits {
    /// How many runs may be under way at once.
    pub max_runs: usize,
    /// How long a run may take.
    pub run_time: Duration,
    /// How many bytes an agent may write into a run's log.
    pub log_bytes: usize,
    /// How long a cancelled agent may go on before it is dropped.
    pub cancel_grace: Duration,
}

impl Default for RunLimits {
    /// 10,000 runs, an hour, 64 MiB, five seconds.
    fn default() -> Self {
        RunLimits {
            max_runs: 10_000,
            run_time: Duration::from_secs(3600),
            log_bytes: 64 * 1024 * 1024,
            cancel_grace: Duration::from_secs(5),
        }
    }
}

/// What becomes of a run that nobody reads any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDisconnect {
    /// It is cancelled, unless somebody reads it again within the grace period.
    Cancel {
        /// How long to wait.
        grace: Duration,
    },
    /// It goes on to its end.
    Continue,
}

impl Default for OnDisconnect {
    /// Cancelled at once.
    fn default() -> Self {
        OnDisconnect::Cancel { grace: Duration::ZERO }
    }
}

/// How one run is to be treated.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StartOptions {
    /// What becomes of it when nobody reads it any more.
    pub on_disconnect: OnDisconnect,
}

impl StartOptions {
    /// Sets what becomes of the run when nobody reads it any more.
    #[must_use]
    pub fn with_on_disconnect(mut self, on_disconnect: OnDisconnect) -> Self {
        self.on_disconnect = on_disconnect;
        self
    }
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The limit of concurrent runs is reached, or the runner is closing.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The run could not be recorded.
    #[error("the run could not be recorded")]
    Store(#[from] agent_services::Error),
}

/// Why a runner cannot be built.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no agent to run.
    #[error("a runner needs at least one agent")]
    NoAgent,
    /// Two agents have the same name.
    #[error("two agents are named '{0}'")]
    DuplicateName(String),
}

/// Collects what a [`Runner`] needs.
#[derive(Debug, Default)]
pub struct RunnerBuilder {
    agents: Vec<(String, Arc<dyn Agent>)>,
    services: Services,
    limits: RunLimits,
}

impl RunnerBuilder {
    /// Adds an agent. The first one is the default; the others are chosen by a request's `model`.
    #[must_use]
    pub fn agent(self, name: impl Into<String>, agent: impl Agent) -> Self {
        self.shared_agent(name, Arc::new(agent))
    }

    /// Adds an agent that is shared already.
    #[must_use]
    pub fn shared_agent(mut self, name: impl Into<String>, agent: Arc<dyn Agent>) -> Self {
        self.agents.push((name.into(), agent));
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
    /// [`BuildError`] if there is no agent or two have the same name.
    pub fn build(self) -> Result<Runner, BuildError> {
        for (position, (name, _)) in self.agents.iter().enumerate() {
            if self.agents[..position].iter().any(|(earlier, _)| earlier == name) {
                return Err(BuildError::DuplicateName(name.clone()));
            }
        }
        if self.agents.is_empty() {
            return Err(BuildError::NoAgent);
        }
        let slots = Arc::new(Semaphore::new(self.limits.max_runs.min(Semaphore::MAX_PERMITS)));
        Ok(Runner(Arc::new(Inner {
            agents: self.agents,
            services: self.services,
            limits: self.limits,
            slots,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })))
    }
}

/// Starts runs. Cheap to clone; the clones share everything.
#[derive(Clone)]
pub struct Runner(Arc<Inner>);

struct Inner {
    agents: Vec<(String, Arc<dyn Agent>)>,
    services: Services,
    limits: RunLimits,
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
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

    /// Starts a run as a task of its own. The agent is polled once before this returns.
    ///
    /// Missing ids of the request are filled in: a fresh session, the session's id for the user, an id for each
    /// message.
    ///
    /// # Errors
    /// [`StartError`] if the runner is closing, works on as many runs as it may, or its store fails.
    ///
    /// # Cancellation
    /// Dropping the future before it resolves starts nothing, or a run that is cancelled as one that nobody reads.
    pub async fn start(&self, mut request: AgentRequest, options: StartOptions) -> Result<Run, StartError> {
        let inner = &*self.0;
        // Held until the run is spawned, so that a shutdown in between waits for it.
        let _starting = inner.tasks.token();
        if inner.tasks.is_closed() {
            return Err(Error::ShuttingDown {}.into());
        }
        let slot = Arc::clone(&inner.slots).try_acquire_owned();
        let permit = slot.map_err(|_| Error::TooManyRuns { limit: inner.limits.max_runs })?;
        let created_at = inner.services.clock.unix_seconds();
        let (name, agent) = inner.choose_agent(request.model.as_deref());
        let (session_id, user_id) = inner.fill_ids(&mut request);
        let id = RunId::new(format!("run_{}", inner.services.ids.random()));
        let response_id = request.id.clone().unwrap_or_else(|| response_id(&*inner.services.ids));
        let request = Arc::new(request);
        let record = RunRecord::new(
            id.clone(),
            UserId::new(user_id),
            SessionId::new(session_id.as_str()),
            name,
            created_at,
            Arc::clone(&request),
        );
        let token = inner.services.runs.create(record).await?;
        let assembler = Assembler::start(ResponseHead { id: response_id, created_at, session_id });
        let live = Arc::new(LiveRun::new(
            id,
            request,
            name.to_owned(),
            inner.services.clone(),
            inner.stop.child_token(),
            inner.limits.log_bytes,
            assembler,
        ));
        let run = Run { key: live.add_reader(), live: Arc::clone(&live) };
        let drive = Drive {
            live,
            agent: Arc::clone(agent),
            token,
            limits: inner.limits.clone(),
            on_disconnect: options.on_disconnect,
            permit,
            in_flight: Mutex::new(None),
        };
        let mut task = Box::pin(drive.run());
        // What the agent writes before its first await is then there when the caller first looks, which saves the
        // caller a wake-up and a write to its client.
        let first = poll_fn(|cx| Poll::Ready(task.as_mut().poll(cx))).await;
        if first.is_pending() {
            inner.tasks.spawn(task);
        }
        Ok(run)
    }

    /// Refuses new runs from now on.
    pub fn close(&self) {
        self.0.tasks.close();
    }

    /// Cancels every run.
    pub fn cancel_all(&self) {
        self.0.stop.cancel();
    }

    /// Resolves when the runner is closed and all its runs have ended and been read.
    pub async fn drained(&self) {
        self.0.tasks.wait().await;
    }

    /// How many runs are under way.
    pub fn active_runs(&self) -> usize {
        let inner = &*self.0;
        inner.limits.max_runs.min(Semaphore::MAX_PERMITS) - inner.slots.available_permits()
    }
}

impl Inner {
    fn choose_agent(&self, model: Option<&str>) -> (&str, &Arc<dyn Agent>) {
        let named = model.and_then(|model| self.agents.iter().find(|(name, _)| name == model));
        let (name, agent) = named.unwrap_or(&self.agents[0]);
        (name, agent)
    }

    /// Fills in the ids that the client left out and gives the session's and the user's.
    fn fill_ids(&self, request: &mut AgentRequest) -> (String, String) {
        for message in request.input.iter_mut().filter(|message| message.id.is_empty()) {
            message.id = message_id(&*self.services.ids);
        }
        let given = request.session_id.take().filter(|id| !id.is_empty());
        let session_id = given.unwrap_or_else(|| self.services.ids.uuid());
        let user_id =
            request.user_id.take().filter(|id| !id.is_empty()).unwrap_or_else(|| session_id.clone());
        request.session_id = Some(session_id.clone());
        request.user_id = Some(user_id.clone());
        (session_id, user_id)
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agents: Vec<_> = self.agent_names().collect();
        f.debug_struct("Runner").field("agents", &agents).finish_non_exhaustive()
    }
}

/// A run that was started. While it lives, the run counts as being read and its log is kept.
pub struct Run {
    live: Arc<LiveRun>,
    key: usize,
}

impl Run {
    /// The run's id.
    pub fn id(&self) -> &RunId {
        &self.live.id
    }

    /// The name of the agent that runs.
    pub fn agent_name(&self) -> &str {
        &self.live.agent
    }

    /// A reader of the run's log from entry `from` on.
    pub fn cursor(&self, from: u64) -> Cursor {
        Cursor::new(Arc::clone(&self.live), from)
    }

    /// Fires the run's cancellation; its log ends as `canceled` once the agent has stopped.
    pub fn cancel(&self) {
        self.live.cancel.cancel();
    }

    /// Waits for the end and gives the final response.
    ///
    /// # Errors
    /// [`CursorError`] if the log cannot be read to its end.
    pub async fn response(&self) -> Result<AgentResponse, CursorError> {
        let mut cursor = self.cursor(0);
        let mut last = None;
        while let Some(events) = cursor.next_events().await {
            last = events?.pop();
        }
        match last {
            Some(Event::Response(response)) => Ok(response),
            _ => Err(CursorError::Lost),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.live.remove_reader(self.key);
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("id", &self.live.id)
            .field("end", &self.live.end())
            .finish_non_exhaustive()
    }
}
