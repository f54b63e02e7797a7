//! Servers that are killed while all kinds of clients are active.

use std::collections::VecDeque;

use agent_tests::history::History;
use agent_tests::redis::RedisServer;
use agent_tests::rounds;

use super::World;
use super::cluster::Cluster;
use super::coverage::Coverage;
use super::load::Load;

/// The maximum number of rounds with active clients: the clients of a round have not all finished when the next server is
/// killed.
const AT_WORK: usize = 4;

/// Kills the server that has the first run of a round once its clients have seen a few events, and continues with the next
/// round. A run may be affected several times.
async fn kill_again_and_again(world: &World, cluster: &mut Cluster) {
    let mut coverage = Coverage::default();
    let mut at_work: VecDeque<(Load, History)> = VecDeque::new();
    let mut round = 0;
    while coverage.wants(round, rounds(4)) {
        let mut rng = world.rng(round).fork(1 << 32);
        let mut history = History::default();
        let mut load = Load::begin(world, round);
        load.until(rng.below(60), &mut history).await;
        let owner = load.progress.owner.borrow().unwrap_or_default();
        cluster.replace(owner).await;
        at_work.push_back((load, history));
        if at_work.len() == AT_WORK {
            finish(world, at_work.pop_front(), &mut coverage).await;
        }
        round += 1;
    }
    while !at_work.is_empty() {
        finish(world, at_work.pop_front(), &mut coverage).await;
    }
    coverage.check();
    cluster.check_health().await;
}

async fn finish(world: &World, load: Option<(Load, History)>, coverage: &mut Coverage) {
    if let Some((load, history)) = load {
        let history = load.end(history).await.history;
        world.check(&history);
        coverage.add(&history);
    }
}

#[tokio::test]
async fn kill__sqlite_server__keeps_what_clients_saw() {
    let (world, mut cluster) = Cluster::on_disk().await;
    kill_again_and_again(&world, &mut cluster).await;
}

#[tokio::test]
async fn kill__replica__keeps_what_clients_saw() {
    let (world, mut cluster) = Cluster::on_redis(RedisServer::start().expect("a Redis server")).await;
    kill_again_and_again(&world, &mut cluster).await;
}
