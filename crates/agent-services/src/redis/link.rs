//! One connection to Redis: a multiplexed one to one server, or those to all nodes of a cluster.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::redis::aio::MultiplexedConnection;
use ::redis::cluster::ClusterClientBuilder;
use ::redis::cluster_async::ClusterConnection;
use ::redis::cluster_routing::SingleNodeRoutingInfo;
use ::redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, Pipeline, ProtocolVersion,
    PushInfo, PushKind, RedisError, RedisResult, TlsCertificates, TlsMode, Value,
};

use super::config::RedisConfig;
use super::servers::Servers;

/// A connection that many tasks use at once.
pub(super) struct Link {
    connection: Connection,
    /// Set as soon as the other side closes the connection.
    is_lost: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    /// Connects, to the present master if there are sentinels.
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

    /// Sends a command and waits for its answer.
    pub(super) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        match self.connection.clone() {
            Connection::Single(mut connection) => command.query_async(&mut connection).await,
            Connection::Cluster(mut connection) => command.query_async(&mut connection).await,
        }
    }

    /// Sends a command to the node of a cluster to which its slot is on its way.
    pub(super) async fn send_asking(&self, address: &str, command: &Cmd) -> RedisResult<Value> {
        let Connection::Cluster(mut cluster) = self.connection.clone() else {
            return self.send(command).await;
        };
        let target =
            address.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
        let Some((host, port)) = target else {
            return Err(RedisError::from((ErrorKind::ClusterConnectionNotFound, "the node has no address")));
        };
        let mut pipeline = Pipeline::new();
        pipeline.cmd("ASKING").add_command(command.clone());
        let route = SingleNodeRoutingInfo::ByAddress { host, port };
        let mut answers = cluster.route_pipeline(pipeline, 0, 2, route).await?;
        answers.pop().unwrap_or(Value::Nil).extract_error()
    }
}

/// A connection that can subscribe, to a server that hears of all that is published. `take` gets what the server pushes.
///
/// All nodes of a cluster hear of everything, so the first that can be reached is as good as any.
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

/// Chooses the cryptography, once for the whole process. Another choice that was made before stays.
fn prepare_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may just have chosen: that is as good.
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
        // The driver would also repeat what may have been executed.
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
