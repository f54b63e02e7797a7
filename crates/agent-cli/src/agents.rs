//! Which agents are served, and why.

#[cfg(feature = "mcp")]
pub(crate) mod mcp;
#[cfg(feature = "python")]
mod python;

use std::sync::Arc;
use std::time::Duration;

use crate::config::{AgentConfig, Config, ConfigError, DemoConfig, EchoConfig, Environment};
use agent_runner::agents::{Demo, Echo};
#[cfg(feature = "mcp")]
use agent_runner::mcp::McpServers;
use agent_runner::{Agent, Services, described};
#[cfg(feature = "python")]
use agent_server::HttpConfig;

#[cfg(all(feature = "client", feature = "python"))]
pub(crate) use self::python::is_script;
#[cfg(feature = "python")]
pub(crate) use self::python::{Scripts, add_script};

/// Whether this is the file of an agent and not an address.
#[cfg(all(feature = "client", not(feature = "python")))]
pub(crate) fn is_script(_: &str) -> bool {
    false
}

/// The agents of a server, the default one first.
pub(crate) struct Served {
    pub(crate) agents: Vec<(String, Arc<dyn Agent>)>,
    /// The models that agents may use, with the agents' names.
    pub(crate) models: Vec<(String, Vec<String>)>,
    /// Whether the default agent is configured; a configured one also answers requests for unknown names.
    pub(crate) has_default: bool,
    /// The scripts, whose own applications answer what nothing else does.
    #[cfg(feature = "python")]
    pub(crate) scripts: Scripts,
    /// The MCP servers, which end in peace if they are closed.
    #[cfg(feature = "mcp")]
    pub(crate) mcp: McpServers,
}

impl Served {
    /// Takes over what scripts want, unless the configuration says something else.
    #[cfg(feature = "python")]
    pub(crate) fn adjust(&self, config: &mut Config) {
        if config.http.endpoint_path == HttpConfig::default().endpoint_path
            && let Some(path) = self.scripts.endpoint_path()
        {
            config.http.endpoint_path = path.to_owned();
        }
    }

    pub(crate) fn default_name(&self) -> &str {
        self.agents.first().map_or("", |(name, _)| name)
    }
}

/// The name of the default agent of a configuration that was resolved.
pub(crate) fn default_name(config: &Config) -> &str {
    config.agent.as_ref().or_else(|| config.agents.keys().next()).map_or("", String::as_str)
}

/// Fills in the default agent's description, if the configuration does not have it, and its name, if it is the only one.
/// Returns the reason for the choice.
///
/// # Errors
/// If the default agent is unknown, or the environment does not describe it completely.
pub(crate) fn resolve(config: &mut Config, environment: &Environment) -> anyhow::Result<String> {
    let (name, reason) = choose(config, environment);
    if !config.agents.contains_key(&name) {
        let described = built_in(&name, environment)?.ok_or_else(|| unknown(&name, config))?;
        config.agents.insert(name.clone(), described);
    }
    // Of several agents, one that is named here would also answer requests for unknown names.
    if config.agents.len() == 1 {
        config.agent = Some(name);
    }
    Ok(reason)
}

/// Builds the agents of a configuration that was resolved, the default one first.
///
/// # Errors
/// If an agent cannot be built.
pub(crate) async fn build(
    config: &Config,
    environment: &Environment,
    services: &Services,
) -> anyhow::Result<Served> {
    let default = default_name(config);
    #[cfg(feature = "mcp")]
    let mcp = mcp::start(config, environment, mcp::SHORT).await?;
    let mut served = Served {
        agents: Vec::new(),
        models: Vec::new(),
        has_default: config.agent.is_some(),
        #[cfg(feature = "python")]
        scripts: Scripts::default(),
        #[cfg(feature = "mcp")]
        mcp: mcp.clone(),
    };
    let mut builder = Builder {
        environment,
        services,
        #[cfg(feature = "mcp")]
        mcp,
        #[cfg(feature = "python")]
        scripts: Scripts::default(),
    };
    for (name, described) in &config.agents {
        let mut agents = builder.make(name, described).await?;
        let further = agents.split_off(1).into_iter();
        served.agents.extend(further.filter(|(name, _)| !config.agents.contains_key(name)));
        let Some(agent) = agents.pop() else { continue };
        let position = if name == default { 0 } else { served.agents.len() };
        served.agents.insert(position, agent);
        served.models.push((name.clone(), allowed_models(described)));
    }
    #[cfg(feature = "python")]
    {
        served.scripts = builder.scripts;
    }
    describe_agents(&mut served.agents, config)?;
    Ok(served)
}

/// Adds what the configuration says about agents.
fn describe_agents(agents: &mut Named, config: &Config) -> Result<(), ConfigError> {
    for (name, info) in &config.about {
        let Some((_, agent)) = agents.iter_mut().find(|(known, _)| known == name) else {
            let known: Vec<&str> = agents.iter().map(|(name, _)| name.as_str()).collect();
            return Err(ConfigError::from_message(format!(
                "about.{name}: there is no agent '{name}'; the agents are {}",
                known.join(", ")
            )));
        };
        *agent = Arc::new(described(Arc::clone(agent), info.clone()));
    }
    Ok(())
}

/// The models that a request may name to get this agent.
fn allowed_models(config: &AgentConfig) -> Vec<String> {
    match config {
        #[cfg(feature = "chat")]
        AgentConfig::Chat(chat) => chat.allowed_models.clone(),
        #[cfg(feature = "python")]
        AgentConfig::Python(_) => Vec::new(),
        AgentConfig::Echo(_) | AgentConfig::Demo(_) => Vec::new(),
    }
}

/// An agent in a few words, without secrets.
pub(crate) fn describe(name: &str, agent: &AgentConfig) -> String {
    match agent {
        #[cfg(feature = "chat")]
        AgentConfig::Chat(chat) => {
            let url = chat.base_url.split('?').next().unwrap_or_default();
            format!("{name} ({} at {url})", chat.model)
        }
        #[cfg(feature = "python")]
        AgentConfig::Python(python) => format!("{name} ({})", python.file.display()),
        AgentConfig::Echo(_) if name != "echo" => format!("{name} (echo)"),
        AgentConfig::Demo(_) if name != "demo" => format!("{name} (demo)"),
        AgentConfig::Echo(_) | AgentConfig::Demo(_) => name.to_owned(),
    }
}

/// The default agent's name, and the reason for the choice.
fn choose(config: &Config, environment: &Environment) -> (String, String) {
    if let Some(name) = &config.agent {
        return (name.clone(), "it is named in the configuration".to_owned());
    }
    if let Some(name) = config.agents.keys().next() {
        let reason = if config.agents.len() == 1 {
            "it is the only configured agent"
        } else {
            "it is the first configured agent"
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

/// The environment variable that points to a model.
fn model_variable(environment: &Environment) -> Option<&'static str> {
    if !cfg!(feature = "chat") {
        return None;
    }
    ["OPENAI_API_KEY", "DASHSCOPE_API_KEY", "OPENAI_BASE_URL"]
        .into_iter()
        .find(|name| environment.get(name).is_some())
}

#[cfg_attr(
    not(feature = "chat"),
    expect(unused_variables, clippy::unnecessary_wraps, reason = "only `chat` can fail")
)]
fn built_in(name: &str, environment: &Environment) -> anyhow::Result<Option<AgentConfig>> {
    Ok(match name {
        "echo" => Some(AgentConfig::Echo(EchoConfig::default())),
        "demo" => Some(AgentConfig::Demo(DemoConfig::default())),
        #[cfg(feature = "chat")]
        "chat" => Some(AgentConfig::Chat(Box::new(chat::from_environment(environment)?))),
        _ => None,
    })
}

fn unknown(name: &str, config: &Config) -> ConfigError {
    let mut known: Vec<&str> = vec!["echo", "demo"];
    if cfg!(feature = "chat") {
        known.push("chat");
    }
    known.extend(config.agents.keys().map(String::as_str));
    ConfigError::from_message(format!(
        "there is no agent '{name}'; the known agents are {}",
        known.join(", ")
    ))
}

/// Makes agents.
struct Builder<'a> {
    #[cfg_attr(
        not(any(feature = "chat", feature = "python")),
        expect(dead_code, reason = "only some kinds need it")
    )]
    environment: &'a Environment,
    #[cfg_attr(not(feature = "chat"), expect(dead_code, reason = "only some kinds need it"))]
    services: &'a Services,
    #[cfg(feature = "python")]
    scripts: Scripts,
    #[cfg(feature = "mcp")]
    mcp: McpServers,
}

/// Agents with their names.
type Named = Vec<(String, Arc<dyn Agent>)>;

impl Builder<'_> {
    /// The agent that an entry describes, and further ones that come with it.
    async fn make(&mut self, name: &str, config: &AgentConfig) -> anyhow::Result<Named> {
        let agent: Arc<dyn Agent> = match config {
            AgentConfig::Echo(echo) => {
                let agent = Echo::new(Duration::from_millis(echo.delay_ms));
                Arc::new(if echo.yielding { agent.yielding() } else { agent })
            }
            AgentConfig::Demo(_) => Arc::new(Demo),
            #[cfg(feature = "chat")]
            AgentConfig::Chat(config) => {
                let chat = chat::make(name, config, self.environment, self.services)?;
                #[cfg(feature = "mcp")]
                let chat = mcp::with_tools(name, chat, &self.mcp, config.mcp.clone())?;
                Arc::new(chat)
            }
            #[cfg(feature = "python")]
            AgentConfig::Python(python) => {
                #[cfg(feature = "mcp")]
                let tools = Some(mcp::tools_of(name, &self.mcp, python.mcp.clone())?);
                #[cfg(not(feature = "mcp"))]
                let tools = None;
                return self.scripts.agents(name, python, tools, self.environment).await;
            }
        };
        Ok(vec![(name.to_owned(), agent)])
    }
}

#[cfg(feature = "chat")]
mod chat {
    //! Models that the environment describes, and their keys.

    use crate::config::{ConfigError, Environment};
    use agent_runner::agents::{Chat, ChatConfig};
    use agent_runner::tools::built_in;
    use agent_runner::{SecretString, Services};

    /// The model in the environment, by the variables of OpenAI's and DashScope's own programs.
    pub(super) fn from_environment(environment: &Environment) -> Result<ChatConfig, ConfigError> {
        let base_url = environment.get("OPENAI_BASE_URL");
        let has_openai_key = environment.get("OPENAI_API_KEY").is_some();
        let mut config = ChatConfig::default();
        if base_url.is_some() || has_openai_key {
            config.api_key_env = has_openai_key.then(|| "OPENAI_API_KEY".to_owned());
            let default = base_url.is_none().then_some("gpt-4o-mini");
            let model = environment.get("OPENAI_MODEL").or(default);
            config.model = model.map(str::to_owned).ok_or_else(|| {
                ConfigError::from_message(
                    "OPENAI_BASE_URL is set, but OPENAI_MODEL is not; set OPENAI_MODEL to a model of that server",
                )
            })?;
            if let Some(base_url) = base_url {
                config.base_url = base_url.to_owned();
            }
        } else if environment.get("DASHSCOPE_API_KEY").is_some() {
            config.api_key_env = Some("DASHSCOPE_API_KEY".to_owned());
            config.base_url = "https://dashscope.aliyuncs.com/compatible-mode/v1".to_owned();
            config.model = environment.get("DASHSCOPE_MODEL").unwrap_or("qwen-plus").to_owned();
        } else {
            return Err(ConfigError::from_message(
                "agent 'chat' needs a model: set OPENAI_API_KEY, DASHSCOPE_API_KEY or OPENAI_BASE_URL, \
                 or configure it in a file under [agents.chat]",
            ));
        }
        Ok(config)
    }

    /// Builds the agent with its key from the environment.
    pub(super) fn make(
        name: &str,
        config: &ChatConfig,
        environment: &Environment,
        services: &Services,
    ) -> anyhow::Result<Chat> {
        let value = |variable: &str| {
            environment.get(variable).ok_or_else(|| {
                ConfigError::from_message(format!(
                    "agents.{name}: the environment variable {variable} is not set"
                ))
            })
        };
        let key = config.api_key_env.as_deref().map(|variable| value(variable).map(SecretString::from));
        let mut config = config.clone();
        for (header, variable) in &config.extra_headers_env {
            config.extra_headers.insert(header.as_str(), value(variable)?);
        }
        let chat = Chat::new(config, key.transpose()?, built_in(services));
        Ok(chat.map_err(|error| ConfigError::from_message(format!("agents.{name}: {error}")))?)
    }
}
