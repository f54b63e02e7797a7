//! Agents in Python scripts.

mod applications;
mod entrypoint;
mod stops;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use agent_runner::tools::ToolSource;
use agent_runner::{Agent, AgentError, Recovery, RunHandle};
use agent_server::AgentAppBuilder;
use agent_workers::python::{Package, Script};
use agent_workers::{WorkerAgent, Workers, WorkersConfig};

use self::entrypoint::Entrypoint;
#[cfg(feature = "client")]
pub(crate) use self::entrypoint::is_script;
pub(crate) use self::stops::Stops;
use super::Named;
use crate::cli::ServeCommand;
use crate::config::{AgentConfig, Compat, Config, ConfigError, Environment, PythonConfig};

/// Adds the agents of a script to the configuration; the named one, or the script's first, is the default.
///
/// # Errors
/// If there is no such file.
pub(crate) fn add_script(
    config: &mut Config,
    script: &str,
    command: &ServeCommand,
) -> Result<(), ConfigError> {
    let Entrypoint { file, agent } = Entrypoint::find(script)?;
    let stem =
        || file.file_stem().map_or_else(|| "agent".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let name = agent.clone().unwrap_or_else(stem);
    let python = PythonConfig {
        file,
        agent,
        python: command.python.clone(),
        workers: 1,
        reload: command.reload,
        memory_mb: None,
        mcp: None,
        environment: None,
        compat: Compat::On,
    };
    config.agents.insert(name.clone(), AgentConfig::Python(python));
    config.agent = Some(name);
    Ok(())
}

/// The scripts whose workers run.
#[derive(Default)]
pub(crate) struct Scripts {
    started: Vec<(PythonConfig, Arc<Started>)>,
    stops: Stops,
}

/// The workers of a script.
struct Started {
    workers: Arc<Workers>,
    /// Workers that are started later import it too.
    _package: Package,
}

impl Scripts {
    /// The agent that an entry of the configuration describes, and if it names none, also all of the script's agents under
    /// their own names. Entries with the same script share its workers.
    ///
    /// # Errors
    /// If there is no interpreter, no such agent, or the script cannot be loaded. The error then contains the traceback.
    pub(super) async fn agents(
        &mut self,
        name: &str,
        config: &PythonConfig,
        tools: Option<Arc<dyn ToolSource>>,
        environment: &Environment,
    ) -> anyhow::Result<Named> {
        let failed = |message: String| ConfigError::from_message(format!("agents.{name}: {message}"));
        let started = self.started(config, environment, failed).await?;
        let all: Vec<&str> = started.workers.agents().iter().map(|info| info.name.as_str()).collect();
        let (first, under_own_names) = match &config.agent {
            Some(wanted) => (wanted.as_str(), &all[..0]),
            None => (all.first().copied().unwrap_or_default(), &all[..]),
        };
        let mut agents = Named::new();
        let further = under_own_names.iter().filter(|own| **own != name).map(|own| (*own, *own));
        for (served, in_script) in [(name, first)].into_iter().chain(further) {
            let agent = started.workers.agent(in_script).ok_or_else(|| {
                let file = config.file.display();
                failed(format!("{file} has no agent '{in_script}'; it has {}", all.join(", ")))
            })?;
            let agent = match &tools {
                Some(tools) => agent.with_tools_of(Arc::clone(tools)),
                None => agent,
            };
            agents.push((served.to_owned(), Arc::new(PythonAgent { agent, _script: Arc::clone(&started) })));
        }
        Ok(agents)
    }

    /// Where the first script that says so wants the server's own protocol to be.
    pub(crate) fn endpoint_path(&self) -> Option<&str> {
        self.started.iter().find_map(|(_, started)| started.workers.endpoint_path())
    }

    /// The sessions whose runs the scripts want to have cancelled.
    pub(crate) fn take_stops(&mut self) -> Stops {
        std::mem::take(&mut self.stops)
    }

    /// Hands the requests that concern the scripts' own applications to them.
    pub(crate) fn attach_applications(self, app: AgentAppBuilder) -> AgentAppBuilder {
        let scripts: Vec<Arc<Started>> = self.started.into_iter().map(|(_, started)| started).collect();
        applications::attach(app, scripts)
    }

    async fn started(
        &mut self,
        config: &PythonConfig,
        environment: &Environment,
        failed: impl Fn(String) -> ConfigError,
    ) -> anyhow::Result<Arc<Started>> {
        let shared = PythonConfig { agent: None, mcp: None, ..config.clone() };
        if let Some((_, started)) = self.started.iter().find(|(known, _)| *known == shared) {
            return Ok(Arc::clone(started));
        }
        let package = Package::unpack()?;
        let script = Script { file: config.file.clone(), python: config.python.clone() };
        let environment = environment.for_workers(config.environment.as_deref());
        let mut environment = environment.map_err(|error| failed(format!("environment: {error}")))?;
        if config.compat == Compat::Off {
            environment.push(("AGENT_SERVER_WORKER_COMPAT".into(), "off".into()));
        }
        let mut workers = WorkersConfig::new(script.program(&package, environment).map_err(&failed)?);
        workers.count = config.workers;
        workers.stops = Some(self.stops.sender());
        workers.memory = config.memory_mb.map(|memory| u64::from(memory.get()) << 20);
        if config.reload {
            let file = config.file.canonicalize()?;
            workers.reload_on_change = file.parent().map(Path::to_owned);
        }
        let workers = Workers::start(workers).await;
        let workers = workers.map_err(|error| failed(format!("{error}{}", error.traceback())))?;
        let started = Arc::new(Started { workers, _package: package });
        self.started.push((shared, Arc::clone(&started)));
        Ok(started)
    }
}

/// An agent, with the workers that it needs.
struct PythonAgent {
    agent: WorkerAgent,
    _script: Arc<Started>,
}

impl fmt::Debug for PythonAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.agent.fmt(f)
    }
}

#[async_trait::async_trait]
impl Agent for PythonAgent {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        self.agent.run(run).await
    }

    fn recovery(&self) -> Recovery {
        self.agent.recovery()
    }
}
