//! The configuration: defaults, then a TOML file, then the environment, then flags.
//!
//! Everything is read once at start and never changes. Each setting can be given in each place; `cargo run --
//! --print-config` shows what is in force.

mod layers;
mod runs;
mod services;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use layers::{ConfigError, Environment, load};
pub use runs::{DisconnectPolicy, DurabilityConfig, PolicyConfig, RunsConfig};
pub use services::{Backend, RedisUrl, ServicesConfig};

/// The whole configuration of the `agent-server` binary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The address to listen on. Environment: `AGENT_SERVER_HOST`, else `HOST`.
    pub host: String,
    /// The port to listen on; 0 takes a free one. Environment: `AGENT_SERVER_PORT`, else `PORT`.
    pub port: u16,
    /// The agent that is served by default: `echo`, `demo`, `chat`, or a name under `[agents]`. Without it, `chat`
    /// is served if the environment has a model's key, else `demo`.
    pub agent: Option<String>,
    /// Whether other machines may reach the server although it cannot tell who they are.
    pub allow_unauthenticated: bool,
    /// How long running runs may go on after the shutdown signal, in seconds; then they are cancelled.
    pub drain_seconds: u64,
    /// The folder that holds the data. Without it, `agent-server` in `XDG_DATA_HOME` or in `~/.local/share`.
    pub data_dir: Option<PathBuf>,
    /// Whether everything is kept in memory only, whatever `services` says.
    pub ephemeral: bool,
    /// HTTP settings.
    pub http: HttpConfig,
    /// Where sessions, states, memories and runs are kept.
    pub services: ServicesConfig,
    /// What runs may use.
    pub runs: RunsConfig,
    /// What is logged.
    pub log: LogConfig,
    /// The agents by name.
    pub agents: BTreeMap<String, AgentConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            host: "127.0.0.1".to_owned(),
            port: 8080,
            agent: None,
            allow_unauthenticated: false,
            drain_seconds: 25,
            data_dir: None,
            ephemeral: false,
            http: HttpConfig::default(),
            services: ServicesConfig::default(),
            runs: RunsConfig::default(),
            log: LogConfig::default(),
            agents: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Checks what the types cannot: addresses, paths and limits that would make no sense.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !self.is_loopback() && !self.allow_unauthenticated {
            return Err(ConfigError::from_message(format!(
                "host '{}' can be reached from other machines, and there is no authentication; \
                 use --host 127.0.0.1, or --allow-unauthenticated if that is what you want",
                self.host
            )));
        }
        let path = &self.http.endpoint_path;
        if !path.starts_with('/')
            || path.len() < 2
            || path.ends_with('/')
            || path.contains(['{', '}', '?', '#', ' ', ':', '*'])
        {
            return Err(ConfigError::from_message(format!(
                "http.endpoint_path should look like '/process', but is '{path}'"
            )));
        }
        if ["/health", "/liveness", "/readiness", "/openapi.json", "/sessions", "/runs"]
            .contains(&path.as_str())
        {
            return Err(ConfigError::from_message(format!(
                "http.endpoint_path '{path}' is taken by the server itself"
            )));
        }
        for (name, value) in [
            ("http.body_limit_bytes", self.http.body_limit_bytes as u64),
            ("http.json_depth", self.http.json_depth as u64),
            ("http.header_timeout_seconds", self.http.header_timeout_seconds),
            ("http.read_timeout_seconds", self.http.read_timeout_seconds),
            ("http.write_timeout_seconds", self.http.write_timeout_seconds),
            ("runs.max_runs", self.runs.max_runs as u64),
            ("runs.lease_seconds", self.runs.lease_seconds),
            ("runs.run_time_seconds", self.runs.run_time_seconds),
            ("runs.log_bytes", self.runs.log_bytes as u64),
        ] {
            if value == 0 {
                return Err(ConfigError::from_message(format!("{name} should be greater than 0")));
            }
        }
        if self.http.heartbeat_seconds > MAX_HEARTBEAT_SECONDS {
            let message = format!("http.heartbeat_seconds should be at most {MAX_HEARTBEAT_SECONDS}");
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

    /// The HTTP settings with the hosts that requests may name: any where other machines can reach the server, as
    /// its names are not known then.
    #[must_use]
    pub fn resolved_http(&self) -> HttpConfig {
        let mut http = self.http.clone();
        if !self.is_loopback() && http.allowed_hosts.is_empty() {
            http.allowed_hosts = vec!["*".to_owned()];
        }
        http
    }
}

/// A day: longer silences end at some proxy anyway.
const MAX_HEARTBEAT_SECONDS: u64 = 24 * 60 * 60;

/// Deeper documents could exhaust a thread's stack.
const MAX_JSON_DEPTH: usize = 512;

/// HTTP settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpConfig {
    /// Where runs are started.
    pub endpoint_path: String,
    /// Web origins besides loopback ones that browsers may call from; `*` allows all.
    pub cors_origins: Vec<String>,
    /// Hosts besides loopback ones that requests may name; `*` allows all.
    pub allowed_hosts: Vec<String>,
    /// How long a stream may be silent before a comment line is sent, in seconds; 0 sends none.
    pub heartbeat_seconds: u64,
    /// The largest request body.
    pub body_limit_bytes: usize,
    /// How deep a request's JSON may nest.
    pub json_depth: usize,
    /// How long a client may take to send a request's headers, in seconds.
    pub header_timeout_seconds: u64,
    /// How long a client may take to send a request's body, in seconds.
    pub read_timeout_seconds: u64,
    /// How long a client may leave what it is sent unread, in seconds; then its connection is cut.
    pub write_timeout_seconds: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig {
            endpoint_path: "/process".to_owned(),
            cors_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            heartbeat_seconds: 15,
            body_limit_bytes: 10 * 1024 * 1024,
            json_depth: agent_schemas::json::DEFAULT_DEPTH,
            header_timeout_seconds: 10,
            read_timeout_seconds: 30,
            write_timeout_seconds: 60,
        }
    }
}

/// What is logged, on standard error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LogConfig {
    /// `human` or `json`.
    pub format: LogFormat,
    /// A level (`error`, `warn`, `info`, `debug`, `trace`), or directives such as `info,agent_server=debug`.
    pub level: String,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { format: LogFormat::Human, level: "info".to_owned() }
    }
}

/// One agent; `kind` says which fields it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AgentConfig {
    /// Says what it hears.
    Echo(EchoConfig),
    /// The offline assistant.
    Demo(DemoConfig),
    /// A model behind an OpenAI-compatible endpoint.
    #[cfg(feature = "chat")]
    Chat(Box<agent_runner::agents::ChatConfig>),
}

/// The settings of an `echo` agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EchoConfig {
    /// How long to wait before each word but the first, in milliseconds.
    pub delay_ms: u64,
    /// Whether to give way to other tasks after each word.
    pub yielding: bool,
}

/// The settings of a `demo` agent: none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DemoConfig {}
