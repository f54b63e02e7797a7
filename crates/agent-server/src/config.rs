//! The settings of the HTTP server.

mod check;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app_error::AppError;

/// HTTP settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpConfig {
    /// The path that starts runs.
    pub endpoint_path: String,
    /// Additional web origins that browsers may call from; `*` allows all. Loopback origins are always allowed.
    pub cors_origins: Vec<String>,
    /// Additional hosts that requests may name; `*` allows all. Loopback names are always allowed.
    pub allowed_hosts: Vec<String>,
    /// How long a stream may be silent before a heartbeat is sent; 0 disables heartbeats.
    #[serde(rename = "heartbeat_seconds", with = "agent_schemas::seconds")]
    pub heartbeat: Duration,
    /// The maximum size of a request body, in bytes.
    pub body_limit_bytes: usize,
    /// The maximum nesting depth of a request's JSON.
    pub json_depth: usize,
    /// The maximum memory of the bodies of all requests that are being read or answered, in bytes, including
    /// parsed values. Further requests get 503. WebSocket messages count as bodies.
    pub bodies_bytes: usize,
    /// The maximum number of bytes buffered in all connections for clients that do not read. Beyond it, new requests
    /// get 503.
    pub unread_bytes: usize,
    /// The maximum number of open connections. Further ones get 503, except for health checks.
    pub max_connections: usize,
    /// The maximum number of open connections of one client address, or of one IPv6 network of 64 bits; 0 for
    /// any number. Further ones get 429. Behind a proxy, all clients have the proxy's address.
    pub max_connections_per_address: usize,
    /// How long a connection may stay open without a request.
    #[serde(rename = "keep_alive_seconds", with = "agent_schemas::seconds")]
    pub keep_alive: Duration,
    /// How long a client may take to send a request's headers, from their first byte on; on a new connection, from its
    /// opening.
    #[serde(rename = "header_timeout_seconds", with = "agent_schemas::seconds")]
    pub header_timeout: Duration,
    /// How long a client may take to send a request's body, or a WebSocket message.
    #[serde(rename = "read_timeout_seconds", with = "agent_schemas::seconds")]
    pub read_timeout: Duration,
    /// How long a client may stop reading before its connection is closed.
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
            body_limit_bytes: 32 * 1024 * 1024,
            json_depth: agent_schemas::json::DEFAULT_DEPTH,
            bodies_bytes: 512 * 1024 * 1024,
            unread_bytes: 128 * 1024 * 1024,
            max_connections: 16_384,
            max_connections_per_address: 0,
            keep_alive: Duration::from_secs(75),
            header_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
        }
    }
}

impl HttpConfig {
    /// Checks the settings that are not just numbers: the path, the origins and the hosts.
    ///
    /// # Errors
    /// [`AppError::Setting`] for the first one that could never match a request.
    pub fn check(&self) -> Result<(), AppError> {
        let named = |name, value: &str, checked: Result<(), String>| {
            checked.map_err(|reason| AppError::Setting { name, value: value.to_owned(), reason })
        };
        named("http.endpoint_path", &self.endpoint_path, check::endpoint_path(&self.endpoint_path))?;
        for origin in &self.cors_origins {
            named("http.cors_origins", origin, check::origin(origin))?;
        }
        for host in &self.allowed_hosts {
            named("http.allowed_hosts", host, check::host(host))?;
        }
        Ok(())
    }
}
