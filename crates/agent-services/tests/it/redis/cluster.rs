//! A Redis Cluster, and behavior that only occurs in one.

use std::sync::Arc;

use ::redis::Value;
use ::redis::aio::MultiplexedConnection;
use agent_services::redis::{RedisSessionStore, RedisStateStore};
use agent_services::session::SessionStore;
use agent_services::state::StateStore;
use agent_services::{ErrorKind, Service, StoreContext};
use tokio::sync::OnceCell;

use super::server::Server;
use super::{admin, batch, client, config, eventually, session, started, texts, user};

const SLOTS: u16 = 16_384;

/// Three masters that share the slots.
pub(super) struct Cluster {
    pub(super) nodes: Vec<Server>,
}

impl Cluster {
    pub(super) async fn start(is_shared: bool) -> Cluster {
        let nodes: Vec<Server> = (0..3).map(|_| node(is_shared)).collect();
        let mut admins = Vec::new();
        for node in &nodes {
            admins.push(admin(&node.url()).await);
        }
        for (number, admin) in (0..).zip(&mut admins) {
            let (first, last) =
                (SLOTS / 3 * number, if number == 2 { SLOTS } else { SLOTS / 3 * (number + 1) } - 1);
            run(admin, &format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1)).await;
            run(admin, &format!("CLUSTER ADDSLOTSRANGE {first} {last}")).await;
        }
        for node in &nodes[1..] {
            let bus = run(&mut admin(&node.url()).await, "CONFIG GET cluster-port").await;
            let (_, bus): (String, u16) = ::redis::from_redis_value(bus).expect("a port");
            run(&mut admins[0], &format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port)).await;
        }
        for admin in &admins {
            eventually("the cluster is complete", || is_complete(admin.clone())).await;
        }
        Cluster { nodes }
    }

    pub(super) fn url(&self) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis-cluster://{}", nodes.join(","))
    }

    /// The index of the node that has a key's slot.
    async fn owner(&self, key: &str) -> (usize, u16) {
        let slot = run(&mut admin(&self.nodes[0].url()).await, &format!("CLUSTER KEYSLOT {key}")).await;
        let slot: u16 = ::redis::from_redis_value(slot).expect("a slot");
        (usize::from(slot / (SLOTS / 3)).min(2), slot)
    }
}

fn node(is_shared: bool) -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let options = [
        &["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", "{second}"][..],
        &["--cluster-node-timeout", "5000", "--cluster-require-full-coverage", "no"],
    ];
    Server::start_in(folder, &options.concat(), is_shared)
}

async fn run(admin: &mut MultiplexedConnection, command: &str) -> Value {
    let mut words = command.split(' ');
    let mut request = ::redis::cmd(words.next().expect("a command"));
    request.arg(words.collect::<Vec<_>>());
    request.query_async(admin).await.unwrap_or_else(|error| panic!("{command}: {error}"))
}

async fn is_complete(mut admin: MultiplexedConnection) -> bool {
    let info: String = ::redis::from_redis_value(run(&mut admin, "CLUSTER INFO").await).expect("a text");
    let expected = ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3"];
    expected.iter().all(|line| info.contains(line))
}

/// The URL of the cluster that is shared by tests that only use their own prefix.
pub(super) async fn shared() -> String {
    static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
    CLUSTER.get_or_init(|| Cluster::start(true)).await.url()
}

#[tokio::test(flavor = "multi_thread")]
async fn users__are_spread_over_nodes() {
    let cluster = Cluster::start(false).await;
    let store = started(RedisSessionStore::new(client(&cluster.url()), StoreContext::default())).await;
    for number in 0..30 {
        store.create(&user(&number.to_string()), None).await.expect("made");
    }
    for node in &cluster.nodes {
        let size = run(&mut admin(&node.url()).await, "DBSIZE").await;
        assert!(::redis::from_redis_value::<u64>(size).expect("a number") > 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connect__one_known_node__finds_the_rest() {
    let cluster = Cluster::start(false).await;
    let url = format!("redis-cluster://127.0.0.1:{}", cluster.nodes[1].port);
    let store = started(RedisStateStore::new(client(&url), StoreContext::default())).await;
    for number in 0..10 {
        let saved =
            store.save(&user(&number.to_string()), &session("s"), None, &agent_schemas::Json::Null).await;
        assert_eq!(saved.expect("saved"), 1);
    }
}

/// With the URL of one server, the error says what to write instead.
#[tokio::test(flavor = "multi_thread")]
async fn connect__cluster_with_standalone_url__is_explained() {
    let url = shared().await.replace("-cluster", "");
    let first_node = url.split(',').next().expect("a node");
    let store = RedisSessionStore::new(client(first_node), StoreContext::default());
    let mut refusals = 0;
    for number in 0..30 {
        let tried = async {
            store.start().await?;
            store.create(&user(&number.to_string()), None).await
        };
        if let Err(error) = tried.await {
            assert_eq!(error.kind(), ErrorKind::Unexpected, "{}", super::chain(&error));
            assert!(error.to_string().contains("redis-cluster://"), "{error}");
            refusals += 1;
        }
    }
    assert!(refusals > 10, "most users are on other nodes");
}

/// While a slot is being moved, moved keys are found at their new node, and impossible calls fail as temporary.
#[tokio::test(flavor = "multi_thread")]
async fn calls__slot_moving__follow_it() {
    let cluster = Cluster::start(false).await;
    let prefix = super::fresh_prefix();
    let store = started(RedisSessionStore::new(
        super::client_with_prefix(&cluster.url(), &prefix),
        StoreContext::default(),
    ))
    .await;
    store.append(&user("u"), &session("s"), batch(&["a"])).await.expect("appended");
    let key = format!("{prefix}:v2:default:{{u}}:session:s");
    let (from, slot) = cluster.owner(&key).await;
    let to = (from + 1) % 3;
    let (mut source, mut target) =
        (admin(&cluster.nodes[from].url()).await, admin(&cluster.nodes[to].url()).await);
    let id = async |admin: &mut MultiplexedConnection| -> String {
        ::redis::from_redis_value(run(admin, "CLUSTER MYID").await).expect("an id")
    };
    let (source_id, target_id) = (id(&mut source).await, id(&mut target).await);
    run(&mut target, &format!("CLUSTER SETSLOT {slot} IMPORTING {source_id}")).await;
    run(&mut source, &format!("CLUSTER SETSLOT {slot} MIGRATING {target_id}")).await;
    run(&mut source, &format!("MIGRATE 127.0.0.1 {} {key} 0 5000", cluster.nodes[to].port)).await;
    assert_eq!(texts(&store, "u", "s").await, ["a"], "it is read where it is now");
    let refused = store.append(&user("u"), &session("s"), batch(&["b"])).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::Unavailable), "its other keys are still elsewhere");
    let keys: Vec<String> =
        ::redis::from_redis_value(run(&mut source, &format!("CLUSTER GETKEYSINSLOT {slot} 100")).await)
            .expect("keys");
    for key in keys {
        run(&mut source, &format!("MIGRATE 127.0.0.1 {} {key} 0 5000", cluster.nodes[to].port)).await;
    }
    for admin in [&mut target, &mut source] {
        run(admin, &format!("CLUSTER SETSLOT {slot} NODE {target_id}")).await;
    }
    store.append(&user("u"), &session("s"), batch(&["b"])).await.expect("the new node is found");
    assert_eq!(texts(&store, "u", "s").await, ["a", "b"]);
}

/// The users of the other nodes are not affected.
#[tokio::test(flavor = "multi_thread")]
async fn node__lost_and_back__serves_again() {
    let mut cluster = Cluster::start(false).await;
    let seconds = std::time::Duration::from_secs;
    let slow = config(&cluster.url()).with_timeouts(seconds(5), seconds(5));
    let client = agent_services::redis::RedisClient::new(slow);
    let store = Arc::new(started(RedisSessionStore::new(client, StoreContext::default())).await);
    let (mut on_first, mut elsewhere) = (None, None);
    for number in 0..50 {
        let name = number.to_string();
        match cluster.owner(&format!("{{{name}}}")).await {
            (0, _) => on_first = Some(name),
            _ => elsewhere = Some(name),
        }
    }
    let (on_first, elsewhere) = (on_first.expect("one"), elsewhere.expect("one"));
    store.append(&user(&on_first), &session("s"), batch(&["a"])).await.expect("appended");
    cluster.nodes[0].kill();
    for _ in 0..3 {
        let start = std::time::Instant::now();
        let refused =
            store.append(&user(&on_first), &session("s"), batch(&["b"])).await.map_err(|e| e.kind());
        assert_eq!(refused, Err(ErrorKind::Unavailable));
        assert!(start.elapsed() < seconds(15), "in bounded time");
    }
    eventually("the other nodes are used again", || async {
        store.append(&user(&elsewhere), &session("s"), batch(&["c"])).await.is_ok()
    })
    .await;
    cluster.nodes[0].restart();
    eventually("the node is used again", || async {
        store.append(&user(&on_first), &session("s"), batch(&["d"])).await.is_ok()
    })
    .await;
    eventually("all is well", || async { store.health().await.is_ok() }).await;
}
