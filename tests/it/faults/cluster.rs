//! Servers over one store, and what is done to them.

use std::sync::Arc;

use agent_tests::redis::RedisServer;
use agent_tests::{Launch, MarkingModel, Server};
use rustix::process::Signal;
use tempfile::TempDir;

use super::World;

/// A dead server's lease expires after a second.
const SETTINGS: &str = "[runs]\nlease_seconds = 1\n";

/// Where the servers keep everything.
#[derive(Debug)]
pub(super) enum Store {
    Folder(TempDir),
    Redis(RedisServer),
}

#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) store: Store,
    world: World,
    config: String,
    servers: Vec<Server>,
}

impl Cluster {
    /// One server over a folder.
    pub(super) async fn on_disk() -> (World, Self) {
        Cluster::start(Store::Folder(tempfile::tempdir().expect("a folder")), 1).await
    }

    /// Three servers over a Redis.
    pub(super) async fn on_redis(redis: RedisServer) -> (World, Self) {
        Cluster::start(Store::Redis(redis), 3).await
    }

    async fn start(store: Store, count: usize) -> (World, Self) {
        let world = World::new(count);
        let model = MarkingModel::start(Arc::clone(&world.clock)).await;
        let config = format!("{}{SETTINGS}", model.config());
        let mut cluster = Cluster { store, world: world.clone(), config, servers: Vec::new() };
        for index in 0..count {
            let server = cluster.launch().start().await;
            world.addresses.set(index, server.address());
            cluster.servers.push(server);
        }
        (world, cluster)
    }

    fn launch(&self) -> Launch {
        let launch = Launch::bare(&["--port", "0", "--log-format", "json"]).config(&self.config);
        match &self.store {
            Store::Folder(folder) => launch.data_dir(folder.path()),
            Store::Redis(redis) => launch.arguments(&["--store", &redis.url()]).without_data_settings(),
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
        // The folder is free again once its owner has ended.
        let server = self.launch().start().await;
        self.world.addresses.set(index, server.address());
        self.servers[index] = server;
    }

    /// Stops a server where it is. Its clients go elsewhere.
    pub(super) fn pause(&self, index: usize) {
        self.servers[index].signal(Signal::STOP);
        self.world.addresses.clear(index);
    }

    /// Resumes a paused server.
    pub(super) fn wake(&self, index: usize) {
        let server = &self.servers[index];
        server.signal(Signal::CONT);
        self.world.addresses.set(index, server.address());
    }

    /// Lets clients find one server only.
    pub(super) fn leave_open_only(&self, index: usize) {
        for other in (0..self.servers.len()).filter(|other| *other != index) {
            self.world.addresses.clear(other);
        }
    }

    /// Lets clients find all servers.
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
