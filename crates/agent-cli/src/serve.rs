//! `agent-server serve`.

mod signals;
mod summary;
mod unused_memory;

use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use crate::config::{Config, ConfigError, Environment, config_file, load};
#[cfg(feature = "mcp")]
use agent_protocol_mcp::Mcp;
use agent_protocol_openai::OpenAi;
use agent_runner::Services;
use agent_server::AgentApp;
use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::signals::Signals;
use self::summary::Summary;
use crate::agents::Served;
use crate::cli::{self, ServeCommand};
use crate::{agents, limits, telemetry};

/// How a server ended.
enum Ended {
    /// After a complete shutdown.
    Drained,
    /// By a second signal, with this exit status.
    AtOnce(u8),
}

/// Serves until a signal stops the server, or prints the configuration.
pub(crate) fn run(command: &ServeCommand, environment: &Environment) -> anyhow::Result<ExitCode> {
    let options = &command.options;
    let config = load(options.config.as_deref(), environment, &options.flags())?;
    let mut config = config.resolve(environment)?;
    #[cfg(feature = "python")]
    if let Some(script) = &command.script {
        agents::add_script(&mut config, script, command)?;
    }
    let reason = agents::resolve(&mut config, environment)?;
    let summary = Summary::new(&config, config_file(options.config.as_deref(), environment), reason);
    if options.print_config {
        cli::print(&summary.to_toml(&config)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    telemetry::start(&config.log)?;
    limits::raise_open_files();
    let services = config.build_services(environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    #[cfg_attr(not(feature = "python"), expect(unused_mut, reason = "only scripts change something"))]
    let mut served = runtime.block_on(agents::build(&config, environment, &services))?;
    #[cfg(feature = "python")]
    let stops = {
        served.adjust(&mut config);
        served.scripts.take_stops()
    };
    #[cfg(feature = "mcp")]
    let mcp = served.mcp.clone();
    let app = app(&config, services, served)?;
    #[cfg(feature = "python")]
    runtime.spawn(stops.carry_out(app.runner().clone()));
    runtime.spawn(unused_memory::give_back());
    match runtime.block_on(serve(app, &config, &summary)) {
        Ok(Ended::AtOnce(status)) => {
            runtime.shutdown_background();
            Ok(ExitCode::from(status))
        }
        ended => {
            #[cfg(feature = "mcp")]
            runtime.block_on(mcp.close());
            // An agent that blocks its thread must not keep the process alive.
            runtime.shutdown_timeout(Duration::from_secs(1));
            ended.map(|_| ExitCode::SUCCESS)
        }
    }
}

/// The application that the configuration describes.
pub(crate) fn app(config: &Config, services: Services, served: Served) -> anyhow::Result<AgentApp> {
    let mut app = AgentApp::builder("agent-server")
        .services(services)
        .limits(config.runs.limits())
        .http(config.resolved_http())
        .run_options(|_| config.runs.options())
        .max_response_ttl(Duration::from_secs(config.runs.response_seconds))
        .protocol(OpenAi)
        .drain(Duration::from_secs(config.drain_seconds));
    #[cfg(feature = "mcp")]
    {
        let mcp = Mcp::new(config.mcp.clone());
        app = app.protocol(mcp.map_err(|error| ConfigError::from_message(error.to_string()))?);
    }
    if served.has_default {
        app = app.default_agent(served.default_name());
    }
    for (agent, models) in served.models {
        app = app.models(&agent, models);
    }
    for (name, agent) in served.agents {
        app = app.agent(name, agent);
    }
    #[cfg(feature = "python")]
    {
        app = served.scripts.attach_applications(app);
    }
    Ok(app.build().map_err(|error| ConfigError::from_message(error.to_string()))?)
}

/// Serves until a signal, then drains. A second signal ends the server at once.
async fn serve(app: AgentApp, config: &Config, summary: &Summary) -> anyhow::Result<Ended> {
    let mut signals = Signals::new()?;
    let listener = tokio::select! {
        biased;
        _ = signals.next() => {
            tracing::info!("stopped by a signal during startup");
            return Ok(Ended::Drained);
        }
        listener = start(&app, config) => listener?,
    };
    let address = listener.local_addr()?;
    summary.log(address);
    announce(address);
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        // The sender still exists.
        let _ = stopped.await;
    };
    let mut serving = pin!(app.serve(listener, shutdown));
    tokio::select! {
        served = &mut serving => {
            served?;
            return Ok(Ended::Drained);
        }
        _ = signals.next() => {}
    }
    let _ = stop.send(());
    tokio::select! {
        served = &mut serving => {
            served?;
            Ok(Ended::Drained)
        }
        status = signals.next() => {
            tracing::warn!(exit.status = status, "received a second signal; exiting at once without waiting for runs");
            Ok(Ended::AtOnce(status))
        }
    }
}

/// Binds the address and starts the services, so that both work by the time the address is printed. Starting the
/// services again changes nothing.
async fn start(app: &AgentApp, config: &Config) -> anyhow::Result<TcpListener> {
    let host = config.host.trim_start_matches('[').trim_end_matches(']');
    let listener = TcpListener::bind((host, config.port))
        .await
        .with_context(|| format!("could not listen on {}:{}", config.host, config.port))?;
    app.runner().services().start().await?;
    Ok(listener)
}

/// Prints the address, the only line on standard output.
fn announce(address: std::net::SocketAddr) {
    #[expect(clippy::print_stdout, reason = "this line is part of the command's interface")]
    {
        println!("listening on http://{address}");
    }
}
