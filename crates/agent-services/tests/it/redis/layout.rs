//! Data of layout 1 is migrated to the current layout, wherever the migration is interrupted and whichever servers start.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use ::redis::aio::ConnectionLike;
use ::redis::cluster::ClusterClient;
use ::redis::{Cmd, cmd};
use agent_services::redis::{
    RedisClient, RedisMemoryStore, RedisRunStore, RedisSessionStore, RedisStateStore,
};
use agent_services::{ErrorKind, Service, StoreContext};
use tokio::time::interval;

use super::{admin, client_with_prefix, cluster, config, fresh_prefix, server};
use crate::old_layout::{self, OldStores};

/// Data of layout 1 at a prefix.
struct Old {
    url: String,
    prefix: String,
}

impl Old {
    /// Data in one server.
    async fn at_server() -> (Old, impl ConnectionLike) {
        let url = server::shared().await;
        let mut admin = admin(&url).await;
        (Old::load(url, &mut admin).await, admin)
    }

    /// Data in a cluster.
    async fn in_cluster() -> (Old, impl ConnectionLike) {
        let url = cluster::shared().await;
        let nodes =
            url.trim_start_matches("redis-cluster://").split(',').map(|node| format!("redis://{node}"));
        let client = ClusterClient::new(nodes.collect::<Vec<_>>()).expect("nodes");
        let mut admin = client.get_async_connection().await.expect("connected");
        (Old::load(url, &mut admin).await, admin)
    }

    async fn load(url: String, admin: &mut impl ConnectionLike) -> Old {
        let prefix = fresh_prefix();
        let commands: Vec<Vec<String>> =
            serde_json::from_str(include_str!("layout_1.json")).expect("lists of words");
        for words in commands {
            let mut command = Cmd::new();
            command.arg(&words[0]).arg(words[1].replacen("old:", &format!("{prefix}:"), 1)).arg(&words[2..]);
            command.exec_async(admin).await.expect("written");
        }
        Old { url, prefix }
    }

    fn client(&self) -> RedisClient {
        client_with_prefix(&self.url, &self.prefix)
    }

    fn key(&self, rest: &str) -> String {
        format!("{}:{rest}", self.prefix)
    }

    async fn ask<T: ::redis::FromRedisValue>(&self, admin: &mut impl ConnectionLike, command: &Cmd) -> T {
        command.query_async(admin).await.expect("answered")
    }

    async fn layout(&self, admin: &mut impl ConnectionLike) -> String {
        self.ask(admin, cmd("GET").arg(self.key("layout"))).await
    }

    /// The number of loaded keys that still have their old names.
    async fn left(&self, admin: &mut impl ConnectionLike) -> usize {
        let commands: Vec<Vec<String>> =
            serde_json::from_str(include_str!("layout_1.json")).expect("lists of words");
        let names: BTreeSet<&str> =
            commands.iter().map(|words| &words[1][4..]).filter(|name| name.contains('{')).collect();
        let mut left = 0;
        for name in names {
            left += self.ask::<usize>(admin, cmd("EXISTS").arg(self.key(name))).await;
        }
        left
    }

    /// Checks all data.
    async fn check(&self, admin: &mut impl ConnectionLike) {
        let context = StoreContext::default;
        let sessions = RedisSessionStore::new(self.client(), context());
        let states = RedisStateStore::new(self.client(), context());
        let memories = RedisMemoryStore::new(self.client(), context());
        let runs = RedisRunStore::new(self.client(), context()).with_retention(old_layout::FOR_EVER);
        let stores: [&dyn Service; 4] = [&sessions, &states, &memories, &runs];
        for store in stores {
            store.start().await.expect("started");
        }
        assert_eq!((self.left(admin).await, self.layout(admin).await.as_str()), (0, "2"));
        let old = OldStores { sessions: &sessions, states: &states, memories: &memories, runs: &runs };
        old_layout::check(&old).await;
    }
}

/// Drops a future after it has waited this many times; returns nothing then.
async fn cut_after<T>(waits: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut left) = (pin!(future), waits);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

fn sessions(client: RedisClient) -> RedisSessionStore {
    RedisSessionStore::new(client, StoreContext::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn layout_1__first_start__is_brought_up_to_date() {
    let (old, mut admin) = Old::at_server().await;
    let (other, _) = Old::at_server().await;
    old.check(&mut admin).await;
    assert!(other.left(&mut admin).await > 0, "another prefix is not touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn layout_1_in_a_cluster__first_start__is_brought_up_to_date() {
    let (old, mut admin) = Old::in_cluster().await;
    old.check(&mut admin).await;
}

/// Wherever the first server is killed, the next one resumes, and no server of layout 1 starts from then on.
#[tokio::test(flavor = "multi_thread")]
async fn migration__interrupted_anywhere__is_continued() {
    let mut halfway = 0;
    for waits in (0..).step_by(3) {
        let (old, mut admin) = Old::in_cluster().await;
        let all = old.left(&mut admin).await;
        let store = sessions(old.client());
        let is_done = cut_after(waits, store.start()).await.is_some();
        drop(store);
        let left = old.left(&mut admin).await;
        if left < all {
            assert_eq!(old.layout(&mut admin).await, "2", "servers of layout 1 are refused");
        }
        halfway += usize::from((1..all).contains(&left));
        // As if the lock of the killed server had expired.
        old.ask::<()>(&mut admin, cmd("DEL").arg(old.key("layout:lock"))).await;
        old.check(&mut admin).await;
        if is_done {
            break;
        }
    }
    assert!(halfway > 1, "{halfway} of the interruptions were between two keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn migration__several_servers_start__all_wait_for_it() {
    let (old, mut admin) = Old::in_cluster().await;
    let stores: Vec<RedisSessionStore> = (0..4).map(|_| sessions(old.client())).collect();
    let [a, b, c, d] = &stores[..] else { panic!("four stores") };
    tokio::try_join!(a.start(), b.start(), c.start(), d.start()).expect("all of them start");
    assert_eq!(old.left(&mut admin).await, 0);
    old.check(&mut admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migration__lock_of_a_dead_server__is_waited_for() {
    let (old, mut admin) = Old::at_server().await;
    old.ask::<()>(&mut admin, cmd("SET").arg(old.key("layout:lock")).arg("dead").arg("PX").arg(300)).await;
    old.check(&mut admin).await;
}

/// Records the lease of an old server, as an old server does.
async fn renew(old: &Old, admin: &mut impl ConnectionLike, lease: Duration) -> ::redis::RedisResult<()> {
    let (seconds, micros): (u64, u64) = old.ask(admin, &cmd("TIME")).await;
    let until = seconds * 1000 + micros / 1000 + u64::try_from(lease.as_millis()).expect("a short time");
    cmd("ZADD").arg(old.key("v1:owners")).arg(until).arg("old-server").exec_async(admin).await
}

#[tokio::test(flavor = "multi_thread")]
async fn old_server__still_running__refuses_the_start() {
    let (old, mut admin) = Old::at_server().await;
    let all = old.left(&mut admin).await;
    let lease = Duration::from_secs(20);
    renew(&old, &mut admin, lease).await.expect("a lease");
    let mut heart = super::admin(&old.url).await;
    let store = sessions(old.client());
    let beating = async {
        let mut beat = interval(Duration::from_millis(30));
        loop {
            beat.tick().await;
            renew(&old, &mut heart, lease).await.expect("a lease");
        }
    };
    let error = tokio::select! {
        started = store.start() => started.expect_err("the old server is at work"),
        () = beating => unreachable!("it beats forever"),
    };
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("older version of agent-server (old-server)"), "{error}");
    assert_eq!((old.left(&mut admin).await, old.layout(&mut admin).await.as_str()), (all, "1"));
    // It stops, and releases its lease.
    old.ask::<()>(&mut admin, cmd("ZREM").arg(old.key("v1:owners")).arg("old-server")).await;
    old.check(&mut admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_server__killed__is_waited_for_and_locked_out() {
    let (old, mut admin) = Old::at_server().await;
    renew(&old, &mut admin, Duration::from_millis(300)).await.expect("a lease");
    sessions(old.client()).start().await.expect("its lease expires");
    // It was only paused: it can neither renew its lease nor register a new run.
    renew(&old, &mut admin, Duration::from_secs(20)).await.expect_err("no lease");
    let note = cmd("ZADD").arg(old.key("v1:run-tags")).arg(1).arg("8249").exec_async(&mut admin).await;
    note.expect_err("no note");
    old.check(&mut admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn layout_1__read_only__is_refused_and_left_alone() {
    let (old, mut admin) = Old::at_server().await;
    let config = config(&old.url).with_prefix(&old.prefix).expect("a prefix").read_only();
    let error = sessions(RedisClient::new(config)).start().await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("start the server once"), "{error}");
    assert_eq!(old.layout(&mut admin).await, "1");
    old.check(&mut admin).await;
}
