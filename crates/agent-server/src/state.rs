//! The state that every handler can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agent_runner::{Run, Runner, StartError};
use agent_schemas::{AgentRequest, RunOptions};
use agent_services::session::SessionStore;
use axum::extract::FromRef;

use crate::config::HttpConfig;

/// The state that every handler can reach. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

struct Inner {
    name: String,
    runner: Runner,
    http: Arc<HttpConfig>,
    run_options: Arc<RunOptions>,
    max_response_ttl: Duration,
    ready: AtomicBool,
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
            http: Arc::new(http),
            run_options: Arc::new(run_options),
            max_response_ttl,
            ready: AtomicBool::new(false),
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

    /// The default options of runs.
    pub(crate) fn run_options(&self) -> &RunOptions {
        &self.0.run_options
    }

    /// Starts a run under the server's limits. Only a stream can be resumed, so the server does not wait for a client
    /// that disconnects from another response.
    pub(crate) async fn start(
        &self,
        request: AgentRequest,
        mut options: RunOptions,
        is_stream: bool,
    ) -> Result<Run, StartError> {
        options.response_ttl = options.response_ttl.min(self.0.max_response_ttl);
        if !is_stream {
            options.disconnect_grace = Duration::ZERO;
        }
        self.runner().start(request, options).await
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
