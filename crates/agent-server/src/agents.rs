//! Which agents are served, and why.

use std::sync::Arc;
use std::time::Duration;

use agent_runner::Agent;
use agent_runner::agents::{Demo, Echo};
use agent_server::config::{AgentConfig, Config, ConfigError, DemoConfig, EchoConfig, Environment};

/// The agents of a server, the default one first.
pub(crate) struct Served {
    pub(crate) agents: Vec<(String, Arc<dyn Agent>)>,
    pub(crate) reason: String,
}

impl Served {
    pub(crate) fn default_name(&self) -> &str {
        self.agents.first().map_or("", |(name, _)| name)
    }
}

/// Builds the configured agents and the one that is served by default.
///
/// # Errors
/// If the default agent is unknown or an agent cannot be built.
pub(crate) fn build(config: &Config, environment: &Environment) -> anyhow::Result<Served> {
    let (name, reason) = choose(config, environment);
    let default = match config.agents.get(&name) {
        Some(configured) => configured.clone(),
        None => built_in(&name, environment).ok_or_else(|| unknown(&name, config))?,
    };
    let mut agents = vec![(name.clone(), make(&name, &default, environment)?)];
    for (other, configured) in config.agents.iter().filter(|(other, _)| **other != name) {
        agents.push((other.clone(), make(other, configured, environment)?));
    }
    Ok(Served { agents, reason })
}

/// The default agent's name, and why it is the one.
fn choose(config: &Config, environment: &Environment) -> (String, String) {
    if let Some(name) = &config.agent {
        return (name.clone(), "it was asked for".to_owned());
    }
    if let Some(name) = config.agents.keys().next() {
        let reason = if config.agents.len() == 1 {
            "it is the one that is configured"
        } else {
            "it is the first that is configured"
        };
        return (name.clone(), reason.to_owned());
    }
    match model_variable(environment) {
        Some(variable) => ("chat".to_owned(), format!("{variable} is set")),
        None => {
            let reason = "no agent is configured; set OPENAI_API_KEY, DASHSCOPE_API_KEY or OPENAI_BASE_URL to serve a model";
            ("demo".to_owned(), reason.to_owned())
        }
    }
}

/// The variable of the environment that says that there is a model.
fn model_variable(environment: &Environment) -> Option<&'static str> {
    if !cfg!(feature = "chat") {
        return None;
    }
    ["OPENAI_API_KEY", "DASHSCOPE_API_KEY", "OPENAI_BASE_URL"]
        .into_iter()
        .find(|name| environment.get(name).is_some())
}

fn built_in(name: &str, _environment: &Environment) -> Option<AgentConfig> {
    match name {
        "echo" => Some(AgentConfig::Echo(EchoConfig::default())),
        "demo" => Some(AgentConfig::Demo(DemoConfig::default())),
        _ => None,
    }
}

fn unknown(name: &str, config: &Config) -> ConfigError {
    let mut known: Vec<&str> = vec!["echo", "demo"];
    if cfg!(feature = "chat") {
        known.push("chat");
    }
    known.extend(config.agents.keys().map(String::as_str));
    ConfigError::from_message(format!("there is no agent '{name}'; known are: {}", known.join(", ")))
}

fn make(_name: &str, config: &AgentConfig, _environment: &Environment) -> anyhow::Result<Arc<dyn Agent>> {
    Ok(match config {
        AgentConfig::Echo(echo) => {
            let agent = Echo::new(Duration::from_millis(echo.delay_ms));
            Arc::new(if echo.yielding { agent.yielding() } else { agent })
        }
        AgentConfig::Demo(_) => Arc::new(Demo),
        other => anyhow::bail!("this build cannot serve {other:?}"),
    })
}
