//! The settings of the HTTP server.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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
    /// How many bytes the bodies of all requests that are being read or answered may take in memory, parsed values included.
    /// Further requests get 503. WebSocket messages count as bodies.
    pub bodies_bytes: usize,
    /// How many bytes may wait in all connections for clients that do not read. Beyond, new requests get 503.
    pub unread_bytes: usize,
    /// How many connections may be open. Further ones get 503, and only the health checks are answered.
    pub max_connections: usize,
    /// How many connections one client address may have open, and one IPv6 network of 64 bits; 0 for any number. Further ones
    /// get 429. Behind a proxy all clients have its address.
    pub max_connections_per_address: usize,
    /// How long a connection may stay open without a request.
    #[serde(rename = "keep_alive_seconds", with = "agent_schemas::seconds")]
    pub keep_alive: Duration,
    /// How long a client may take to send a request's headers, from the first byte on; on a new connection, from its opening.
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
            body_limit_bytes: 10 * 1024 * 1024,
            json_depth: agent_schemas::json::DEFAULT_DEPTH,
            bodies_bytes: 256 * 1024 * 1024,
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
