//! The servers and their roles.

use std::fmt;

use ::redis::{ConnectionAddr, ConnectionInfo, RedisConnectionInfo, TlsMode};

/// The servers and their roles.
#[derive(Clone, Debug)]
pub(super) enum Servers {
    /// One server.
    Standalone(ConnectionInfo),
    /// Sentinels, which know the current master.
    Sentinel {
        sentinels: Vec<ConnectionAddr>,
        master: String,
        login: RedisConnectionInfo,
        tls: Option<TlsMode>,
    },
    /// Some nodes of a cluster, which know the others.
    Cluster(Vec<ConnectionInfo>),
}

impl Servers {
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Servers::Cluster(_))
    }
}

/// Where the servers are, for messages.
impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<String> = match self {
            Servers::Standalone(info) => vec![info.addr().to_string()],
            Servers::Sentinel { sentinels, .. } => sentinels.iter().map(ToString::to_string).collect(),
            Servers::Cluster(nodes) => nodes.iter().map(|node| node.addr().to_string()).collect(),
        };
        f.write_str(&addresses.join(", "))
    }
}
