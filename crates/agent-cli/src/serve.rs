//! `agent-server serve`.

use std::net::SocketAddr;
use std::time::Duration;

use crate::config::{Config, Environment, UnknownVariable, load};
use agent_protocol_openai::OpenAi;
use agent_runner::Services;
use agent_server::AgentApp;
use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::agents::Served;
use crate::cli::ServeOptions;
use crate::{agents, limits, telemetry};

/// Serves until a signal stops the server.
pub(crate) fn run(options: &ServeOptions, environment: &Environment) -> anyhow::Result<()> {
    let config = load(options.config.as_deref(), environment, &options.flags())?;
    if options.print_config {
        return print(&config);
    }
    telemetry::start(&config.log)?;
    warn_of_unknown(environment);
    limits::raise_open_files();
    let services = config.build_services(environment)?;
    let served = agents::build(&config, environment, &services)?;
    tracing::info!(agent = served.default_name(), why = served.reason, "serving");
    let app = app(&config, services, served)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(app, &config));
    // An agent that blocks its thread must not keep the process alive.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// Reports variables that look like settings. They do not stop the server, as a platform may have set them.
fn warn_of_unknown(environment: &Environment) {
    for UnknownVariable { name, similar } in environment.unknown() {
        match similar {
            Some(similar) => {
                tracing::warn!(variable = name, "unknown setting in the environment; did you mean {similar}?")
            }
            None => tracing::warn!(variable = name, "unknown setting in the environment"),
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
    if served.has_default {
        app = app.default_agent(served.default_name());
    }
    for (agent, models) in served.models {
        app = app.models(&agent, models);
    }
    for (name, agent) in served.agents {
        app = app.agent(name, agent);
    }
    Ok(app.build()?)
}

async fn serve(app: AgentApp, config: &Config) -> anyhow::Result<()> {
    let host = config.host.trim_start_matches('[').trim_end_matches(']');
    let listener = TcpListener::bind((host, config.port))
        .await
        .with_context(|| format!("could not listen on {}:{}", config.host, config.port))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    // The line below promises that the server works, so the services start first; starting them again changes nothing.
    app.runner().services().start().await?;
    announce(listener.local_addr()?);
    app.serve(listener, shutdown).await?;
    Ok(())
}

/// Prints the address, the only line on standard output.
fn announce(address: SocketAddr) {
    #[expect(clippy::print_stdout, reason = "this line is part of the command's interface")]
    {
        println!("listening on http://{address}");
    }
}

fn print(config: &Config) -> anyhow::Result<()> {
    #[expect(clippy::print_stdout, reason = "printing is the purpose of --print-config")]
    {
        print!("{}", toml::to_string(config)?);
    }
    Ok(())
}
