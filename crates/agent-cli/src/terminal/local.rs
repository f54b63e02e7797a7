//! An agent in this process, behind a server on a free port, so that the client is the same as for any other server.

use std::time::Duration;

use crate::config::{Environment, Flag, load};
use agent_runner::Services;
use agent_server::AgentApp;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::cli::ChatOptions;
#[cfg(feature = "python")]
use crate::cli::ServeCommand;
use crate::telemetry::LogLines;
use crate::{agents, serve, telemetry};

/// How long the server may take to stop: a cancelled run still reports its end.
const END: Duration = Duration::from_secs(3);

/// The log level unless the user requests a log: only failures, each once.
const LOG_LEVEL: &str = "warn,agent_runner::agents::chat::endpoint=error";

/// An agent that is ready to serve.
#[derive(Debug)]
pub(super) struct Local {
    app: AgentApp,
    endpoint_path: String,
    /// The agent's name, and the reason for the choice.
    pub(super) introduction: String,
    /// The log, unless the user has requested one on standard error.
    pub(super) log: Option<LogLines>,
}

impl Local {
    /// The agent that the options, the environment and the configuration describe.
    pub(super) async fn new(options: &ChatOptions, environment: &Environment) -> anyhow::Result<Self> {
        let mut config = load(options.config.as_deref(), environment, &flags(options))?;
        #[cfg(feature = "python")]
        if let Some(script) = &options.source {
            agents::add_script(&mut config, script, &ServeCommand::default())?;
        }
        let log = if environment.get("AGENT_SERVER_LOG_LEVEL").is_some() {
            telemetry::start(&config.log)?;
            None
        } else {
            let lines = LogLines::default();
            lines.start(LOG_LEVEL)?;
            Some(lines)
        };
        let services = Services::in_memory();
        let reason = agents::resolve(&mut config, environment)?;
        let served = agents::build(&config, environment, &services).await?;
        #[cfg(feature = "python")]
        served.adjust(&mut config);
        let reason = options.source.as_ref().map_or(reason, |script| format!("it is served from {script}"));
        let introduction = format!("{} in this process: {reason}", served.default_name());
        // Quitting should not wait for the runs of the conversation, which have been cancelled.
        config.drain_seconds = 1;
        let endpoint_path = config.http.endpoint_path.clone();
        Ok(Local { app: serve::app(&config, services, served)?, endpoint_path, introduction, log })
    }

    /// Serves the agent while `conversation`, which receives the address, runs.
    pub(super) async fn serve(
        self,
        conversation: impl AsyncFnOnce(&str) -> anyhow::Result<u8>,
    ) -> anyhow::Result<u8> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}{}", listener.local_addr()?, self.endpoint_path);
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // Even if the future was dropped.
            let _ = stopped.await;
        };
        let mut serving = Box::pin(self.app.serve(listener, shutdown));
        let ended = tokio::select! {
            served = &mut serving => {
                served?;
                anyhow::bail!("the server stopped unexpectedly");
            }
            ended = conversation(&url) => ended,
        };
        let _ = stop.send(());
        // A user who interrupts the program does not want to wait, and the agent's data is lost anyway.
        if !matches!(ended, Ok(super::INTERRUPTED)) {
            let _ = timeout(END, serving).await;
        }
        ended
    }
}

fn flags(options: &ChatOptions) -> Vec<Flag> {
    Flag::given("--agent", "agent", options.agent.clone()).into_iter().collect()
}
