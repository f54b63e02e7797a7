//! The settings of the HTTP server.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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
    /// How long a stream may be silent before a comment line is sent; zero sends none.
    #[serde(rename = "heartbeat_seconds", with = "agent_schemas::seconds")]
    pub heartbeat: Duration,
    /// The largest request body.
    pub body_limit_bytes: usize,
    /// How deep a request's JSON may nest.
    pub json_depth: usize,
    /// How long a client may take to send a request's headers.
    #[serde(rename = "header_timeout_seconds", with = "agent_schemas::seconds")]
    pub header_timeout: Duration,
    /// How long a client may take to send a request's body.
    #[serde(rename = "read_timeout_seconds", with = "agent_schemas::seconds")]
    pub read_timeout: Duration,
    /// How long a client may leave what it is sent unread; then its connection is cut.
    #[serde(rename = "write_timeout_seconds", with = "agent_schemas::seconds")]
    pub write_timeout: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig {
            endpoint_path: "/process".to_owned(),
            cors_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            heartbeat: Duration::from_secs(15),
            body_limit_bytes: 10 * 1024 * 1024,
            json_depth: agent_schemas::json::DEFAULT_DEPTH,
            header_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
        }
    }
}
