//! One connection to Redis: a multiplexed connection to one server, or connections to all nodes of a cluster.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::redis::aio::MultiplexedConnection;
use ::redis::cluster::ClusterClientBuilder;
use ::redis::cluster_async::ClusterConnection;
use ::redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo};
use ::redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, Pipeline, ProtocolVersion,
    PushInfo, PushKind, RedisError, RedisResult, TlsCertificates, TlsMode, Value,
};

use super::config::RedisConfig;
use super::servers::Servers;

/// A connection that many tasks share.
pub(super) struct Link {
    connection: Connection,
    /// Set as soon as the other side closes the connection.
    is_lost: Arc<AtomicBool>,
}

/// A master of a cluster, or the only server.
#[derive(Clone, Debug)]
pub(super) struct Node(Option<(String, u16)>);

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    /// Connects, to the current master if there are sentinels.
    pub(super) async fn connect(config: &RedisConfig) -> RedisResult<Link> {
        let is_lost = Arc::new(AtomicBool::new(false));
        let connection = match &config.servers {
            Servers::Standalone(info) => {
                let client = client(info.clone(), config)?;
                Connection::Single(single(&client, config, &is_lost).await?)
            }
            Servers::Sentinel { .. } => {
                let client = ask_sentinels(config).await?;
                Connection::Single(single(&client, config, &is_lost).await?)
            }
            Servers::Cluster(nodes) => Connection::Cluster(cluster(nodes, config).await?),
        };
        Ok(Link { connection, is_lost })
    }

    /// Whether the other side is known to have closed the connection.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }

    /// Sends a command and waits for its reply.
    pub(super) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        match self.connection.clone() {
            Connection::Single(mut connection) => command.query_async(&mut connection).await,
            Connection::Cluster(mut connection) => command.query_async(&mut connection).await,
        }
    }

    /// The servers that together have all keys.
    pub(super) async fn masters(&self) -> RedisResult<Vec<Node>> {
        let Connection::Cluster(mut cluster) = self.connection.clone() else { return Ok(vec![Node(None)]) };
        let route = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        // The answers come with the addresses by which the driver knows the nodes.
        let answers = cluster.route_command(::redis::cmd("PING"), route).await?;
        let answers: HashMap<String, Value> = ::redis::from_redis_value(answers)?;
        answers.keys().map(|address| node_at(address).map(|node| Node(Some(node)))).collect()
    }

    /// Sends a command to one of the [`Self::masters`].
    pub(super) async fn send_to(&self, node: &Node, command: &Cmd) -> RedisResult<Value> {
        match (self.connection.clone(), node) {
            (Connection::Cluster(mut cluster), Node(Some((host, port)))) => {
                let route = SingleNodeRoutingInfo::ByAddress { host: host.clone(), port: *port };
                cluster.route_command(command.clone(), RoutingInfo::SingleNode(route)).await
            }
            _ => self.send(command).await,
        }
    }

    /// Sends a command to the node of a cluster to which its slot is being moved.
    pub(super) async fn send_asking(&self, address: &str, command: &Cmd) -> RedisResult<Value> {
        let Connection::Cluster(mut cluster) = self.connection.clone() else {
            return self.send(command).await;
        };
        let (host, port) = node_at(address)?;
        let mut pipeline = Pipeline::new();
        pipeline.cmd("ASKING").add_command(command.clone());
        let route = SingleNodeRoutingInfo::ByAddress { host, port };
        let mut answers = cluster.route_pipeline(pipeline, 0, 2, route).await?;
        answers.pop().unwrap_or(Value::Nil).extract_error()
    }
}

/// The host and the port of an address.
fn node_at(address: &str) -> RedisResult<(String, u16)> {
    let node = address.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    node.ok_or_else(|| RedisError::from((ErrorKind::ClusterConnectionNotFound, "the node has no address")))
}

/// A connection that can subscribe, to a server that receives all published messages. `take` receives what the server
/// pushes.
///
/// All nodes of a cluster receive everything, so it connects to the first that can be reached.
pub(super) async fn listen(
    config: &RedisConfig,
    take: impl Fn(PushInfo) + Clone + Send + Sync + 'static,
) -> RedisResult<MultiplexedConnection> {
    match &config.servers {
        Servers::Standalone(info) => with_pushes(&client(info.clone(), config)?, config, take).await,
        Servers::Sentinel { .. } => with_pushes(&ask_sentinels(config).await?, config, take).await,
        Servers::Cluster(nodes) => {
            let mut failure = RedisError::from((ErrorKind::ClusterConnectionNotFound, "there are no nodes"));
            for node in nodes {
                let protocol = node.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
                let client = client(node.clone().set_redis_settings(protocol), config)?;
                match with_pushes(&client, config, take.clone()).await {
                    Ok(connection) => return Ok(connection),
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("is_lost", &self.is_lost).finish_non_exhaustive()
    }
}

fn certificates(config: &RedisConfig) -> Option<TlsCertificates> {
    let root_cert = config.root_certificates.clone()?;
    Some(TlsCertificates { client_tls: None, root_cert: Some(root_cert) })
}

/// Chooses the TLS implementation, once per process. An earlier choice takes precedence.
fn prepare_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another part of the process may just have made the choice, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

fn client(info: ConnectionInfo, config: &RedisConfig) -> RedisResult<Client> {
    if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        return Client::open(info);
    }
    prepare_tls();
    match certificates(config) {
        Some(certificates) => Client::build_with_tls(info, certificates),
        None => Client::open(info),
    }
}

async fn single(
    client: &Client,
    config: &RedisConfig,
    is_lost: &Arc<AtomicBool>,
) -> RedisResult<MultiplexedConnection> {
    let is_lost = Arc::clone(is_lost);
    let notice = move |push: PushInfo| {
        if push.kind == PushKind::Disconnection {
            is_lost.store(true, Ordering::Release);
        }
    };
    with_pushes(client, config, notice).await
}

async fn with_pushes(
    client: &Client,
    config: &RedisConfig,
    take: impl Fn(PushInfo) + Send + Sync + 'static,
) -> RedisResult<MultiplexedConnection> {
    let notice = move |push: PushInfo| {
        take(push);
        Ok::<(), ()>(())
    };
    let options = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(config.connect_timeout))
        .set_response_timeout(Some(config.response_timeout))
        .set_push_sender(notice);
    client.get_multiplexed_async_connection_with_config(&options).await
}

async fn ask_sentinels(config: &RedisConfig) -> RedisResult<Client> {
    let Servers::Sentinel { sentinels, master, login, tls } = &config.servers else {
        return Err(RedisError::from((ErrorKind::EmptySentinelList, "there are no sentinels")));
    };
    let mut builder = SentinelClientBuilder::new(sentinels.clone(), master, SentinelServerType::Master)?
        .set_client_to_redis_db(login.db())
        .set_client_to_redis_protocol(ProtocolVersion::RESP3);
    if let Some(user) = login.username() {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = login.password() {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some((user, password)) = config.login_at_sentinels() {
        builder = builder.set_client_to_sentinel_username(user).set_client_to_sentinel_password(password);
    }
    if let Some(mode) = tls {
        prepare_tls();
        builder = builder.set_client_to_redis_tls_mode(*mode).set_client_to_sentinel_tls_mode(*mode);
        if let Some(certificates) = certificates(config) {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates);
        }
    }
    builder.build()?.async_get_client().await
}

async fn cluster(nodes: &[ConnectionInfo], config: &RedisConfig) -> RedisResult<ClusterConnection> {
    let mut builder = ClusterClientBuilder::new(nodes.iter().cloned())
        .use_protocol(ProtocolVersion::RESP3)
        .connection_timeout(config.connect_timeout)
        .response_timeout(config.response_timeout)
        // The driver would also repeat commands that may have been executed.
        .retries(0);
    if nodes.iter().any(|node| matches!(node.addr(), ConnectionAddr::TcpTls { .. })) {
        prepare_tls();
        builder = builder.tls(TlsMode::Secure);
        if let Some(certificates) = certificates(config) {
            builder = builder.certs(certificates);
        }
    }
    builder.build()?.get_async_connection().await
}
