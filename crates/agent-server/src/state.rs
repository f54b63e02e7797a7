//! The state that every handler can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agent_runner::{ByteBudget, Run, RunContext, Runner, StartError};
use agent_schemas::{AgentRequest, RunOptions};
use agent_services::session::SessionStore;
use axum::extract::FromRef;
use tokio_util::task::TaskTracker;

use crate::closing::ClosingSignal;
use crate::config::HttpConfig;
use crate::readiness::{Reason, StoreHealth};

/// The state that every handler can reach. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

struct Inner {
    name: String,
    runner: Runner,
    http: Arc<HttpConfig>,
    run_options: Arc<RunOptions>,
    max_response_ttl: Duration,
    /// What the requests that are being read or answered take in memory.
    bodies: ByteBudget,
    /// What waits in connections for clients that do not read.
    unread: ByteBudget,
    ready: AtomicBool,
    store_health: StoreHealth,
    /// Given when connections close, at the end of a shutdown.
    closing: Arc<ClosingSignal>,
    /// The connections, those that speak another protocol by now included.
    connections: TaskTracker,
    /// The requests that the application answers where nothing else does. A shutdown waits for them as for runs.
    answers: TaskTracker,
}

impl App {
    pub(crate) fn new(
        name: String,
        runner: Runner,
        http: HttpConfig,
        run_options: RunOptions,
        max_response_ttl: Duration,
    ) -> Self {
        App(Arc::new(Inner {
            name,
            runner,
            bodies: ByteBudget::new(http.bodies_bytes),
            unread: ByteBudget::new(http.unread_bytes),
            http: Arc::new(http),
            run_options: Arc::new(run_options),
            max_response_ttl,
            ready: AtomicBool::new(false),
            store_health: StoreHealth::default(),
            closing: Arc::default(),
            connections: TaskTracker::new(),
            answers: TaskTracker::new(),
        }))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn runner(&self) -> &Runner {
        &self.0.runner
    }

    pub(crate) fn sessions(&self) -> &dyn SessionStore {
        &*self.0.runner.services().sessions
    }

    pub(crate) fn http(&self) -> &HttpConfig {
        &self.0.http
    }

    /// What the requests that are being read or answered may take in memory.
    pub(crate) fn bodies(&self) -> &ByteBudget {
        &self.0.bodies
    }

    /// What may wait in connections for clients that do not read.
    pub(crate) fn unread(&self) -> &ByteBudget {
        &self.0.unread
    }

    /// The signal that connections close, at the end of a shutdown: no run that is still read is executed here then.
    pub(crate) fn closing(&self) -> &Arc<ClosingSignal> {
        &self.0.closing
    }

    /// The open connections.
    pub(crate) fn connections(&self) -> &TaskTracker {
        &self.0.connections
    }

    /// The requests that the application answers where nothing else does.
    pub(crate) fn answers(&self) -> &TaskTracker {
        &self.0.answers
    }

    /// The default options of runs.
    pub(crate) fn run_options(&self) -> &RunOptions {
        &self.0.run_options
    }

    /// Starts a run under the server's limits. Only a stream can be resumed, so the server does not wait for a client
    /// that disconnects from another response.
    pub(crate) async fn start(
        &self,
        request: AgentRequest,
        options: RunOptions,
        is_stream: bool,
    ) -> Result<Run, StartError> {
        self.start_with(request, options, None, is_stream).await
    }

    /// The same for a run that may continue another one.
    pub(crate) async fn start_with(
        &self,
        request: AgentRequest,
        mut options: RunOptions,
        context: Option<RunContext>,
        is_stream: bool,
    ) -> Result<Run, StartError> {
        options.response_ttl = options.response_ttl.min(self.0.max_response_ttl);
        if !is_stream {
            options.disconnect_grace = Duration::ZERO;
        }
        self.runner().start_with(request, options, context).await
    }

    /// Whether the server takes new runs.
    ///
    /// # Errors
    /// Why it does not.
    pub(crate) async fn readiness(&self) -> Result<(), Reason> {
        if self.runner().is_closed() {
            return Err(Reason::ShuttingDown);
        }
        if !self.is_ready() {
            return Err(Reason::Starting);
        }
        self.0.store_health.check(self.runner().services()).await
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Acquire)
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.0.ready.store(ready, Ordering::Release);
    }
}

impl FromRef<App> for Arc<HttpConfig> {
    fn from_ref(app: &App) -> Self {
        Arc::clone(&app.0.http)
    }
}

impl FromRef<App> for Arc<RunOptions> {
    fn from_ref(app: &App) -> Self {
        Arc::clone(&app.0.run_options)
    }
}

/// The budget of bodies.
impl FromRef<App> for ByteBudget {
    fn from_ref(app: &App) -> Self {
        app.0.bodies.clone()
    }
}
