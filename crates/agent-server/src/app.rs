//! The application: agents and settings, as routes and a server.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use agent_runner::{Agent, RunLimits, Runner, RunnerBuilder, Services};
use agent_schemas::RunOptions;
use axum::Router;
use axum::http::Request;
use axum::response::Response;
use bytes::Bytes;
use tokio::net::TcpListener;

use crate::app_error::AppError;
use crate::config::HttpConfig;
use crate::error::ApiError;
use crate::protocol::Protocol;
use crate::router::Fallback;
use crate::state::App;
use crate::{lifecycle, router};

/// How long a client may be disconnected before its run is cancelled, unless the application sets another time.
const DISCONNECT_GRACE: Duration = Duration::from_secs(60);

/// The maximum time that a response may be kept, unless the application sets another one.
const MAX_RESPONSE_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The result of a hook. An error from a start hook prevents the server from starting.
pub type HookResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

type Wrap = Box<dyn Fn(Router) -> Router + Send + Sync>;

/// Makes routes of the application that use its runner.
type Routes = Box<dyn FnOnce(Runner) -> Router + Send>;

type Hook = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = HookResult> + Send>> + Send>;

/// An application that is ready to serve.
///
/// ```no_run
/// use agent_runner::{RunHandle, agent_fn};
/// use agent_server::AgentApp;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let app = AgentApp::builder("greeter")
///     .agent("greeter", agent_fn(|run: RunHandle| async move {
///         run.say("Hello!");
///         Ok(())
///     }))
///     .build()?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// app.serve(listener, async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
/// # Ok(()) }
/// ```
pub struct AgentApp {
    app: App,
    routes: Router,
    protocols: Arc<[Arc<dyn Protocol>]>,
    fallback: Option<Fallback>,
    wraps: Vec<Wrap>,
    start: Vec<Hook>,
    stop: Vec<Hook>,
    drain: Duration,
}

/// Collects what an [`AgentApp`] needs.
pub struct AgentAppBuilder {
    name: String,
    runner: RunnerBuilder,
    routes: Vec<Routes>,
    protocols: Vec<Arc<dyn Protocol>>,
    fallback: Option<Fallback>,
    wraps: Vec<Wrap>,
    http: HttpConfig,
    run_options: RunOptions,
    max_response_ttl: Duration,
    start: Vec<Hook>,
    stop: Vec<Hook>,
    drain: Duration,
}

impl AgentApp {
    /// How long runs may continue after the shutdown signal, unless the application sets another time. The
    /// complete shutdown then takes less than the 30 seconds after which Kubernetes kills a process.
    pub const DRAIN: Duration = Duration::from_secs(15);

    /// Builds an application. Clients see its name at `/`.
    pub fn builder(name: impl Into<String>) -> AgentAppBuilder {
        AgentAppBuilder {
            name: name.into(),
            runner: Runner::builder(),
            routes: Vec::new(),
            protocols: Vec::new(),
            fallback: None,
            wraps: Vec::new(),
            http: HttpConfig::default(),
            run_options: RunOptions::default().with_cancel_after(DISCONNECT_GRACE),
            max_response_ttl: MAX_RESPONSE_TTL,
            start: Vec::new(),
            stop: Vec::new(),
            drain: AgentApp::DRAIN,
        }
    }

    /// The runner, for starting runs without HTTP.
    pub fn runner(&self) -> &Runner {
        self.app.runner()
    }

    /// The maximum time that [`Self::serve`] takes after the shutdown signal, without the application's own
    /// stop hooks. It includes the drain, the grace period of cancelled agents, and a few seconds for last events,
    /// connections and stores.
    pub fn longest_stop(&self) -> Duration {
        lifecycle::longest_stop(self.drain, self.runner().limits().cancel_grace)
    }

    /// All routes, for a server of your own. Hooks and the drain are then up to you, and the application is ready at
    /// once.
    pub fn router(&self) -> Router {
        self.app.set_ready(true);
        self.wrapped()
    }

    fn wrapped(&self) -> Router {
        let wrap = |routes| self.wraps.iter().fold(routes, |routes, wrap| wrap(routes));
        let (routes, protocols) = (self.routes.clone(), Arc::clone(&self.protocols));
        router::layered(&self.app, routes, protocols, self.fallback.clone(), wrap)
    }

    /// Serves until `shutdown` resolves and the runs in progress have ended, or the drain deadline has passed and they
    /// were cancelled.
    ///
    /// # Errors
    /// If a service does not start or a start hook fails. Nothing is served then.
    ///
    /// # Cancellation
    /// Dropping the future stops accepting connections. Open connections and their runs continue without a drain until
    /// the runtime stops. Resolve `shutdown` instead.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let routes = self.wrapped();
        let AgentApp { app, start, stop, drain, .. } = self;
        let services = app.runner().services().clone();
        services.start().await.map_err(io::Error::other)?;
        let runner = app.runner().clone();
        runner.watch().await.map_err(io::Error::other)?;
        for hook in start {
            hook().await.map_err(io::Error::other)?;
        }
        lifecycle::serve(app, routes, listener, shutdown, drain).await;
        for hook in stop {
            if let Err(error) = hook().await {
                tracing::error!(error = %error, "a stop hook failed");
            }
        }
        lifecycle::stop_services(&runner).await;
        Ok(())
    }
}

impl AgentAppBuilder {
    /// Adds an agent. A request chooses an agent by naming it as its `model`; without a `model` it gets the first.
    ///
    /// A single agent answers every request. With several agents, a request for an unknown name gets 404, unless
    /// there is a [`default_agent`](Self::default_agent).
    #[must_use]
    pub fn agent(mut self, name: impl Into<String>, agent: impl Agent) -> Self {
        self.runner = self.runner.agent(name, agent);
        self
    }

    /// Lets requests also choose an agent by the models that it may use. The name of an agent has priority over a
    /// model.
    #[must_use]
    pub fn models(mut self, agent: &str, models: impl IntoIterator<Item = String>) -> Self {
        self.runner = self.runner.models(agent, models);
        self
    }

    /// Sets the agent that answers requests whose `model` is missing or unknown.
    #[must_use]
    pub fn default_agent(mut self, name: impl Into<String>) -> Self {
        self.runner = self.runner.default_agent(name);
        self
    }

    /// Uses these services instead of ones in memory.
    #[must_use]
    pub fn services(mut self, services: Services) -> Self {
        self.runner = self.runner.services(services);
        self
    }

    /// Uses these limits instead of the defaults.
    #[must_use]
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.runner = self.runner.limits(limits);
        self
    }

    /// Uses these HTTP settings instead of the defaults.
    #[must_use]
    pub fn http(mut self, http: HttpConfig) -> Self {
        self.http = http;
        self
    }

    /// Changes the default options of runs. Unless they say otherwise, a run is cancelled when it has had no reader for
    /// a minute, or at once if its client did not ask for a stream.
    ///
    /// ```
    /// use agent_schemas::SessionPolicy;
    /// use agent_server::AgentApp;
    ///
    /// let builder = AgentApp::builder("app").run_options(|options|
    /// options.with_session_policy(SessionPolicy::Reject));
    /// ```
    #[must_use]
    pub fn run_options(mut self, change: impl FnOnce(RunOptions) -> RunOptions) -> Self {
        self.run_options = change(self.run_options);
        self
    }

    /// Sets the maximum time that a response may be kept for later retrieval
    /// ([`response_ttl`](RunOptions::response_ttl), OpenAI's `store`), even if logs are kept for a shorter time. The
    /// default is 30 days.
    #[must_use]
    pub fn max_response_ttl(mut self, ttl: Duration) -> Self {
        self.max_response_ttl = ttl;
        self
    }

    /// How long runs may continue after the shutdown signal before they are cancelled; 15 seconds by default. See
    /// [`AgentApp::longest_stop`].
    #[must_use]
    pub fn drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// Adds your own routes, with their layers. The server's layers wrap them. [`build`](Self::build) rejects a
    /// route that already exists.
    #[must_use]
    pub fn routes(self, routes: Router) -> Self {
        self.routes_with(|_| routes)
    }

    /// Adds your own routes, which start and read runs with the application's [`Runner`]. Otherwise the same as
    /// [`routes`](Self::routes).
    ///
    /// Such a run has the options that its handler passes, not those of [`run_options`](Self::run_options). It has an owner
    /// only if the handler names one: where a layer adds a [`Principal`], take it from the request.
    ///
    /// ```
    /// use agent_runner::{RunOptions, Runner, agents::Echo};
    /// use agent_schemas::{AgentRequest, Message};
    /// use agent_server::{AgentApp, ApiError};
    /// use axum::extract::State;
    /// use axum::{Router, routing::post};
    ///
    /// async fn ask(State(runner): State<Runner>, question: String) -> Result<String, ApiError> {
    ///     let request = AgentRequest::new(vec![Message::user(question)]);
    ///     let run = runner.start(request, RunOptions::default()).await?;
    ///     let response = run.response().await?;
    ///     Ok(response.messages().iter().map(Message::full_text).collect())
    /// }
    ///
    /// let builder = AgentApp::builder("app")
    ///     .agent("echo", Echo::default())
    ///     .routes_with(|runner| Router::new().route("/ask", post(ask)).with_state(runner));
    /// ```
    ///
    /// [`Principal`]: crate::Principal
    #[must_use]
    pub fn routes_with(mut self, routes: impl FnOnce(Runner) -> Router + Send + 'static) -> Self {
        self.routes.push(Box::new(routes));
        self
    }

    /// Adds a protocol. If two protocols claim a path, errors there have the format of the one that was added first.
    /// [`build`](Self::build) rejects a route that already exists.
    #[must_use]
    pub fn protocol(mut self, protocol: impl Protocol) -> Self {
        self.protocols.push(Arc::new(protocol));
        self
    }

    /// Answers requests to paths that nothing else has. The server has read their bodies, within its limits. The server's
    /// layers and those of [`wrap`](Self::wrap) apply. [`ApiError::NotFound`] is the answer without a fallback.
    ///
    /// ```
    /// use agent_server::AgentApp;
    /// use axum::http::Request;
    /// use axum::response::IntoResponse;
    /// use bytes::Bytes;
    ///
    /// let builder = AgentApp::builder("app").fallback(async |request: Request<Bytes>| {
    ///     Ok(format!("there is no {}", request.uri().path()).into_response())
    /// });
    /// ```
    ///
    /// [`ApiError::NotFound`]: crate::ApiError::NotFound
    #[must_use]
    pub fn fallback<F, Fut>(mut self, answer: F) -> Self
    where
        F: Fn(Request<Bytes>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, ApiError>> + Send + 'static,
    {
        self.fallback = Some(Fallback::new(answer));
        self
    }

    /// Wraps all routes, for example with authentication. The server's own layers wrap this one: its responses
    /// appear in the access log, web pages can read them, and preflights and requests for other hosts do not reach
    /// it. An [`ApiError`] takes the format of the protocol.
    ///
    /// A layer that identifies who makes a request adds a [`Principal`]:
    ///
    /// ```
    /// use agent_server::protocol::ErrorInfo;
    /// use agent_server::{AgentApp, ApiError, Principal};
    /// use axum::extract::Request;
    /// use axum::http::{StatusCode, header::AUTHORIZATION};
    /// use axum::middleware::{Next, from_fn};
    /// use axum::response::Response;
    ///
    /// async fn authenticate(mut request: Request, next: Next) -> Result<Response, ApiError> {
    ///     let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    ///     let user = match header {
    ///         Some("Bearer the-key-of-ann") => "ann",
    ///         _ => return Err(ErrorInfo::new(StatusCode::UNAUTHORIZED, "AUTH_FAILED", "Send a valid API key").into()),
    ///     };
    ///     request.extensions_mut().insert(Principal::new(user));
    ///     Ok(next.run(request).await)
    /// }
    ///
    /// let builder = AgentApp::builder("app").wrap(|routes| routes.layer(from_fn(authenticate)));
    /// ```
    ///
    /// [`ApiError`]: crate::ApiError
    /// [`Principal`]: crate::Principal
    #[must_use]
    pub fn wrap(mut self, wrap: impl Fn(Router) -> Router + Send + Sync + 'static) -> Self {
        self.wraps.push(Box::new(wrap));
        self
    }

    /// Runs a hook before the first request is served. Hooks run in the order in which they were added.
    #[must_use]
    pub fn on_start<F, Fut>(mut self, hook: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = HookResult> + Send + 'static,
    {
        self.start.push(Box::new(|| Box::pin(hook())));
        self
    }

    /// Runs a hook after the last request has been served. Hooks run in the order in which they were added. An error is
    /// logged.
    #[must_use]
    pub fn on_stop<F, Fut>(mut self, hook: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = HookResult> + Send + 'static,
    {
        self.stop.push(Box::new(|| Box::pin(hook())));
        self
    }

    /// Builds the application.
    ///
    /// # Errors
    /// [`AppError`] if there is no agent, two have the same name, the default one does not exist, two routes conflict,
    /// or an HTTP setting is invalid.
    pub fn build(self) -> Result<AgentApp, AppError> {
        self.http.check()?;
        let runner = self.runner.build()?;
        let app = App::new(self.name, runner, self.http, self.run_options, self.max_response_ttl);
        let protocols: Arc<[Arc<dyn Protocol>]> = self.protocols.into();
        let own = self.routes.into_iter().map(|routes| routes(app.runner().clone())).collect();
        let routes = router::collect(&app, own, &protocols)?;
        Ok(AgentApp {
            app,
            routes,
            protocols,
            fallback: self.fallback,
            wraps: self.wraps,
            start: self.start,
            stop: self.stop,
            drain: self.drain,
        })
    }
}

impl fmt::Debug for AgentApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentApp").field("name", &self.app.name()).finish_non_exhaustive()
    }
}

impl fmt::Debug for AgentAppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentAppBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
