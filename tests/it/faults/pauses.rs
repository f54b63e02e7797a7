//! Servers that are paused for longer than their leases, and wake up late.

use std::path::Path;

use agent_schemas::{Status, UserId};
use agent_services::page::PageSize;
use agent_services::run::{RunFilter, RunStore};
use agent_services::sqlite::{SqliteDatabase, SqliteRunStore};
use agent_services::{Service, StoreContext};
use agent_tests::history::History;
use agent_tests::redis::RedisServer;
use agent_tests::{pause, rounds, within};

use super::cluster::{Cluster, Store};
use super::coverage::Coverage;
use super::load::Load;

#[tokio::test]
async fn paused_owner__replaced__writes_nothing_more() {
    let (world, cluster) = Cluster::on_redis(RedisServer::start().expect("a Redis server")).await;
    let mut coverage = Coverage::default();
    let mut round = 0;
    while coverage.wants(round, rounds(4)) {
        let mut rng = world.rng(round).fork(1 << 32);
        let mut history = History::default();
        let mut load = Load::begin(&world, round);
        load.until(rng.below(60), &mut history).await;
        let owner = load.progress.owner.borrow().unwrap_or_default();
        cluster.pause(owner);
        // All runs end without it, so its lease has ended.
        let mut reader = load.end(history).await;
        cluster.wake(owner);
        // It shows the ends that other servers wrote only once it knows that it has lost its runs.
        cluster.leave_open_only(owner);
        reader.read_again().await;
        cluster.open_all();
        reader.read_again().await;
        world.check(&reader.history);
        coverage.add(&reader.history);
        round += 1;
    }
    coverage.check();
    cluster.check_health().await;
}

#[tokio::test]
async fn paused_owner__not_replaced__continues() {
    let (world, cluster) = Cluster::on_disk().await;
    let Store::Folder(folder) = &cluster.store else { panic!("it is on disk") };
    for round in 0..rounds(4) {
        let mut rng = world.rng(round).fork(1 << 32);
        let mut history = History::default();
        let mut load = Load::begin(&world, round);
        load.until(1 + rng.below(30), &mut history).await;
        cluster.pause(0);
        within("the lease to end", lease_ended(folder.path(), &UserId::new(load.user.as_str()))).await;
        cluster.wake(0);
        world.check(&load.end(history).await.history);
    }
    cluster.check_health().await;
}

/// Waits until a user's runs in progress no longer have a live owner, if there are any.
async fn lease_ended(folder: &Path, user: &UserId) {
    let runs = SqliteRunStore::new(SqliteDatabase::read_only(folder), StoreContext::default());
    runs.start().await.expect("a server has made the file");
    let (mut in_progress, size) = (RunFilter::default(), PageSize::default());
    in_progress.status = Some(Status::InProgress);
    let left = runs.list(user, &in_progress, None, size).await.expect("readable").items;
    while !left.is_empty() && runs.orphans(size).await.expect("readable").is_empty() {
        pause().await;
    }
    runs.stop().await.expect("stopped");
}
