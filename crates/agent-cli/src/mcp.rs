//! `agent-server mcp`: serves agents to the MCP client that has started this process.

use std::process::ExitCode;
use std::time::Duration;

use agent_protocol_mcp::serve_stdio;
use agent_server::{AgentApp, Principal};
use tokio::io::{BufReader, stdin, stdout};
use tokio::time::timeout;

#[cfg(feature = "python")]
use crate::cli::ServeCommand;
use crate::cli::mcp::McpOptions;
use crate::config::{Environment, load};
use crate::{agents, limits, serve, telemetry};

/// The log level unless the user chooses one: clients show what a server writes to standard error.
const LOG_LEVEL: &str = "warn";

/// How long runs may take to end when the client is gone.
const END: Duration = Duration::from_secs(3);

/// Serves until standard input ends.
pub(crate) fn run(options: &McpOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    let config = load(options.config.as_deref(), environment, &options.flags())?;
    let mut config = config.resolve(environment)?;
    #[cfg(feature = "python")]
    if let Some(script) = &options.script {
        agents::add_script(&mut config, script, &ServeCommand::default())?;
    }
    agents::resolve(&mut config, environment)?;
    if let Some(level) = &options.log_level {
        config.log.level.clone_from(level);
    } else if environment.get("AGENT_SERVER_LOG_LEVEL").is_none() {
        LOG_LEVEL.clone_into(&mut config.log.level);
    }
    telemetry::start(&config.log)?;
    limits::raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let services = config.build_services(environment)?;
        let served = agents::build(&config, environment, &services).await?;
        let mcp = served.mcp.clone();
        let app = serve::app(&config, services, served)?;
        let done = talk(&app, &options.user_id).await;
        mcp.close().await;
        done
    });
    // A thread may still wait for standard input.
    runtime.shutdown_background();
    done.map(|()| ExitCode::SUCCESS)
}

async fn talk(app: &AgentApp, user_id: &str) -> anyhow::Result<()> {
    let runner = app.runner();
    runner.services().start().await?;
    let done =
        serve_stdio(app.router(), Some(Principal::new(user_id)), BufReader::new(stdin()), stdout()).await;
    runner.close();
    runner.cancel_all();
    // Whatever does not end in time ends with the process.
    let _ = timeout(END, runner.drained()).await;
    Ok(done?)
}
