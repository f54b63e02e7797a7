//! Servers that share one store, and the faults that are injected.

use std::path::Path;
use std::sync::Arc;

use agent_tests::history::Clock;
use agent_tests::redis::RedisServer;
use agent_tests::{Launch, Link, MarkingModel, Server, within};
use rustix::process::{Signal, kill_process};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::World;

/// Where workers find Python.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A lease so short that a dead server is noticed after a second.
const SHORT_LEASE: u32 = 1;

/// A lease so long that a short pause of a server is not noticed.
const LONG_LEASE: u32 = 60;

/// The store of the servers.
#[derive(Debug)]
pub(super) enum Store {
    Folder(TempDir),
    Redis(RedisServer),
}

#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) store: Store,
    world: World,
    model: MarkingModel,
    config: String,
    servers: Vec<Server>,
    /// The networks between the servers and Redis, if they can fail.
    links: Vec<Link>,
    /// The port at which workers read the clock, and the task that answers.
    clock: (u16, JoinSet<()>),
}

impl Cluster {
    /// One server over a folder.
    pub(super) async fn on_disk() -> (World, Self) {
        Cluster::start(Store::Folder(tempfile::tempdir().expect("a folder")), 1, SHORT_LEASE, vec![]).await
    }

    /// Three servers over a Redis.
    pub(super) async fn on_redis(redis: RedisServer) -> (World, Self) {
        Cluster::start(Store::Redis(redis), 3, SHORT_LEASE, vec![]).await
    }

    /// The same with leases that outlast a pause.
    pub(super) async fn on_redis_with_long_leases(redis: RedisServer) -> (World, Self) {
        Cluster::start(Store::Redis(redis), 3, LONG_LEASE, vec![]).await
    }

    /// Three servers, each with its own network to a Redis.
    pub(super) async fn over_links(redis: RedisServer) -> (World, Self) {
        let mut links = Vec::new();
        for _ in 0..3 {
            links.push(Link::to(redis.port()).await);
        }
        Cluster::start(Store::Redis(redis), 3, SHORT_LEASE, links).await
    }

    /// One server over a folder, whose agent a worker executes.
    pub(super) async fn of_python() -> (World, Self) {
        let world = World::new(1);
        let model = MarkingModel::start(Arc::clone(&world.clock)).await;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/counts.py");
        let config = format!(
            "[agents.counts]\nkind = \"python\"\nfile = '{}'\n[runs]\nlease_seconds = {SHORT_LEASE}\n",
            script.display()
        );
        let store = Store::Folder(tempfile::tempdir().expect("a folder"));
        Cluster::start_with(store, 1, vec![], (world, model, config)).await
    }

    async fn start(store: Store, count: usize, lease: u32, links: Vec<Link>) -> (World, Self) {
        let world = World::new(count);
        let model = MarkingModel::start(Arc::clone(&world.clock)).await;
        let config = format!("{}[runs]\nlease_seconds = {lease}\n", model.config());
        Cluster::start_with(store, count, links, (world, model, config)).await
    }

    async fn start_with(
        store: Store,
        count: usize,
        links: Vec<Link>,
        (world, model, config): (World, MarkingModel, String),
    ) -> (World, Self) {
        let (clock, servers) = (serve_clock(Arc::clone(&world.clock)).await, Vec::new());
        let mut cluster = Cluster { store, world: world.clone(), model, config, servers, links, clock };
        for index in 0..count {
            let server = cluster.launch(index).start().await;
            world.addresses.set(index, server.address());
            cluster.servers.push(server);
        }
        (world, cluster)
    }

    fn launch(&self, index: usize) -> Launch {
        let port = self.clock.0.to_string();
        let launch = Launch::bare(&["--port", "0", "--log-format", "json"])
            .environment("PATH", PATH)
            .environment("CLOCK_PORT", &port)
            .config(&self.config);
        match &self.store {
            Store::Folder(folder) => launch.data_dir(folder.path()),
            Store::Redis(redis) => {
                let url = self.links.get(index).map_or_else(|| redis.url(), Link::url);
                launch.arguments(&["--store", &url]).without_data_settings()
            }
        }
    }

    pub(super) fn redis(&mut self) -> &mut RedisServer {
        match &mut self.store {
            Store::Redis(redis) => redis,
            Store::Folder(_) => panic!("there is no Redis"),
        }
    }

    /// Kills a server and starts another one in its place.
    pub(super) async fn replace(&mut self, index: usize) {
        let server = &mut self.servers[index];
        server.signal(Signal::KILL);
        server.exit().await;
        assert!(!server.log().contains("panicked"), "something panicked");
        self.world.addresses.clear(index);
        // The folder is free again once its owner is gone.
        let server = self.launch(index).start().await;
        self.world.addresses.set(index, server.address());
        self.servers[index] = server;
    }

    /// Kills the processes that a server has started.
    pub(super) fn kill_workers(&self, index: usize) {
        for worker in self.servers[index].children() {
            // It may have ended.
            let _ = kill_process(worker, Signal::KILL);
        }
    }

    /// Pauses a server. Its clients switch to other servers.
    pub(super) fn pause(&self, index: usize) {
        self.servers[index].signal(Signal::STOP);
        self.world.addresses.clear(index);
    }

    /// Waits until the model has written all answers.
    pub(super) async fn model_is_silent(&self) {
        within("the model to be silent", self.model.silent()).await;
    }

    /// The network between a server and Redis.
    pub(super) fn link(&self, index: usize) -> &Link {
        &self.links[index]
    }

    pub(super) fn links(&self) -> &[Link] {
        &self.links
    }

    /// Makes the clients of a server switch to other servers.
    pub(super) fn close(&self, index: usize) {
        self.world.addresses.clear(index);
    }

    /// Resumes a paused server.
    pub(super) fn wake(&self, index: usize) {
        let server = &self.servers[index];
        server.signal(Signal::CONT);
        self.world.addresses.set(index, server.address());
    }

    /// Makes clients use only one server.
    pub(super) fn leave_open_only(&self, index: usize) {
        for other in (0..self.servers.len()).filter(|other| *other != index) {
            self.world.addresses.clear(other);
        }
    }

    /// Makes clients use all servers.
    pub(super) fn open_all(&self) {
        for (index, server) in self.servers.iter().enumerate() {
            self.world.addresses.set(index, server.address());
        }
    }

    pub(super) async fn check_health(&self) {
        for server in &self.servers {
            server.check_health().await;
        }
    }
}

/// Tells the time to everyone who connects.
async fn serve_clock(clock: Arc<Clock>) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut answering = JoinSet::new();
    answering.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            // A killed worker does not listen.
            let _ = client.write_all(clock.now().to_string().as_bytes()).await;
        }
    });
    (port, answering)
}
