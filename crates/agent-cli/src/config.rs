//! The configuration: defaults, then a TOML file, then the environment, then flags.
//!
//! Everything is read once at startup and never changes. The environment can set everything except tables; unknown
//! `AGENT_SERVER_…` variables are rejected. `agent-server --print-config` shows the effective configuration: every
//! setting with its value, including paths and defaults ([`Config::resolve`]), without secrets.

mod environment;
mod error;
mod layers;
mod log;
mod resolve;
mod runs;
mod services;
mod settings;
#[cfg(feature = "mcp")]
mod tools;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "mcp")]
use agent_protocol_mcp::McpConfig;
use agent_runner::AgentInfo;
use agent_server::{AgentApp, HttpConfig};
use serde::{Deserialize, Serialize};

pub(crate) use environment::Environment;
pub(crate) use error::ConfigError;
pub(crate) use layers::{Flag, config_file, load};
pub(crate) use log::{LogConfig, LogFormat};
pub(crate) use resolve::absolute;
pub(crate) use runs::RunsConfig;
pub(crate) use services::ServicesConfig;
#[cfg(feature = "mcp")]
pub(crate) use tools::ToolsConfig;

/// The whole configuration of the `agent-server` binary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The address to listen on. Environment: `AGENT_SERVER_HOST`, else `HOST`.
    pub(crate) host: String,
    /// The port to listen on; 0 selects a free port. Environment: `AGENT_SERVER_PORT`, else `PORT`.
    pub(crate) port: u16,
    /// The default agent: `echo`, `demo`, `chat`, or a name under `[agents]`. It answers requests whose `model`
    /// is missing or unknown. If it is not set, the first one under `[agents]` answers requests without a `model`,
    /// and with several agents a request for an unknown name fails. Without agents, the server chooses `chat` if
    /// the environment has a model's key or URL, otherwise `demo`.
    pub(crate) agent: Option<String>,
    /// Allows other machines to connect without authentication.
    pub(crate) allow_unauthenticated: bool,
    /// How long runs may continue after the shutdown signal before they are cancelled, in seconds. The rest of
    /// the shutdown takes up to 7 seconds plus `runs.cancel_grace_seconds`; together they have to be shorter than
    /// the platform's own timeout.
    pub(crate) drain_seconds: u64,
    /// The data folder. The default is `agent-server` in `XDG_DATA_HOME` or in `~/.local/share`.
    pub(crate) data_dir: Option<PathBuf>,
    /// Keeps everything in memory only, regardless of `services`.
    pub(crate) ephemeral: bool,
    /// HTTP settings.
    pub(crate) http: HttpConfig,
    /// Where sessions, states, memories and runs are kept.
    pub(crate) services: ServicesConfig,
    /// The limits and options of runs.
    pub(crate) runs: RunsConfig,
    /// Logging.
    pub(crate) log: LogConfig,
    /// Tools for all agents.
    #[cfg(feature = "mcp")]
    pub(crate) tools: ToolsConfig,
    /// Prompts and resources for MCP clients.
    #[cfg(feature = "mcp")]
    pub(crate) mcp: McpConfig,
    /// The descriptions that agents give their callers, by agent name.
    pub(crate) about: BTreeMap<String, AgentInfo>,
    /// The agents by name.
    pub(crate) agents: BTreeMap<String, AgentConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            host: "127.0.0.1".to_owned(),
            port: 8080,
            agent: None,
            allow_unauthenticated: false,
            drain_seconds: AgentApp::DRAIN.as_secs(),
            data_dir: None,
            ephemeral: false,
            http: HttpConfig::default(),
            services: ServicesConfig::default(),
            runs: RunsConfig::default(),
            log: LogConfig::default(),
            #[cfg(feature = "mcp")]
            tools: ToolsConfig::default(),
            #[cfg(feature = "mcp")]
            mcp: McpConfig::default(),
            about: BTreeMap::new(),
            agents: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Checks what the types cannot: addresses, paths and limits.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if !self.is_loopback() && !self.allow_unauthenticated {
            return Err(ConfigError::from_message(format!(
                "other machines can reach the host '{}', but the server has no authentication; use --host 127.0.0.1, \
                 or accept this with --allow-unauthenticated",
                self.host
            )));
        }
        self.http.check().map_err(|error| ConfigError::from_message(error.to_string()))?;
        self.log.check()?;
        for (name, value) in [
            ("http.body_limit_bytes", self.http.body_limit_bytes as u64),
            ("http.json_depth", self.http.json_depth as u64),
            ("http.bodies_bytes", self.http.bodies_bytes as u64),
            ("http.unread_bytes", self.http.unread_bytes as u64),
            ("http.max_connections", self.http.max_connections as u64),
            ("http.header_timeout_seconds", self.http.header_timeout.as_secs()),
            ("http.keep_alive_seconds", self.http.keep_alive.as_secs()),
            ("http.read_timeout_seconds", self.http.read_timeout.as_secs()),
            ("http.write_timeout_seconds", self.http.write_timeout.as_secs()),
            ("runs.max_runs", self.runs.max_runs as u64),
            ("runs.lease_seconds", self.runs.lease_seconds),
            ("runs.run_time_seconds", self.runs.run_time_seconds),
            ("runs.log_bytes", self.runs.log_bytes as u64),
            ("runs.memory_bytes", self.runs.memory_bytes as u64),
            ("runs.unstored_bytes", self.runs.unstored_bytes as u64),
        ] {
            if value == 0 {
                return Err(ConfigError::from_message(format!("{name} should be greater than 0")));
            }
        }
        if self.http.heartbeat > MAX_HEARTBEAT {
            let message = format!("http.heartbeat_seconds should be at most {}", MAX_HEARTBEAT.as_secs());
            return Err(ConfigError::from_message(message));
        }
        if self.http.json_depth > MAX_JSON_DEPTH {
            return Err(ConfigError::from_message(format!(
                "http.json_depth should be at most {MAX_JSON_DEPTH}"
            )));
        }
        Ok(())
    }

    fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The HTTP settings, including the hosts that requests may name. A server that other machines can reach
    /// allows any host, because it does not know its own names.
    #[must_use]
    pub(crate) fn resolved_http(&self) -> HttpConfig {
        let mut http = self.http.clone();
        if !self.is_loopback() && http.allowed_hosts.is_empty() {
            http.allowed_hosts = vec!["*".to_owned()];
        }
        http
    }
}

/// A day: proxies close connections that are silent for longer.
const MAX_HEARTBEAT: Duration = Duration::from_secs(24 * 60 * 60);

/// Deeper nesting could overflow the stack of a thread.
const MAX_JSON_DEPTH: usize = 512;

/// One agent; `kind` determines its fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum AgentConfig {
    /// Repeats its input.
    Echo(EchoConfig),
    /// An offline assistant.
    Demo(DemoConfig),
    /// A model behind an OpenAI-compatible endpoint.
    #[cfg(feature = "chat")]
    Chat(Box<agent_runner::agents::ChatConfig>),
    /// An agent in a Python script.
    #[cfg(feature = "python")]
    Python(PythonConfig),
}

/// The settings of a `python` agent.
#[cfg(feature = "python")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PythonConfig {
    /// The script.
    pub(crate) file: PathBuf,
    /// The agent's name in the script. The default is the script's first agent.
    pub(crate) agent: Option<String>,
    /// The interpreter. The default is that of the activated virtual environment, of `.venv` or `venv` beside the script or
    /// in a folder above it, the one that uv chose for the project, that of the virtual environment in which the server is
    /// installed, or the first `python3` on the `PATH`.
    pub(crate) python: Option<PathBuf>,
    /// How many processes execute the agent. All runs of a session are executed by the same one.
    #[serde(default = "one")]
    pub(crate) workers: usize,
    /// Whether to reload the script when a Python file in its folder or a subfolder changes.
    #[serde(default)]
    pub(crate) reload: bool,
    /// How much memory a process may use, in MiB. One that uses more is replaced after its runs, and one that uses a quarter
    /// more is killed. The default is no limit.
    pub(crate) memory_mb: Option<std::num::NonZeroU32>,
    /// The names of the MCP servers whose tools the agent may call; all of them by default.
    pub(crate) mcp: Option<Vec<String>>,
    /// The environment variables that the processes get, besides those that every program needs. The default is all except
    /// those of this server.
    pub(crate) environment: Option<Vec<String>>,
    /// Whether scripts written for agentscope-runtime import this server's modules instead of that package. `off` uses the
    /// installed package.
    #[serde(default)]
    pub(crate) compat: Compat,
}

/// Whether the server supplies the modules of agentscope-runtime.
#[cfg(feature = "python")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compat {
    #[default]
    On,
    Off,
}

#[cfg(feature = "python")]
fn one() -> usize {
    1
}

/// The settings of an `echo` agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EchoConfig {
    /// The pause before each word except the first, in milliseconds.
    pub(crate) delay_ms: u64,
    /// Whether to yield to other tasks after each word.
    pub(crate) yielding: bool,
}

/// The settings of a `demo` agent. There are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DemoConfig {}
