//! A Redis that is killed and restarted while all kinds of clients are active.

use agent_tests::history::History;
use agent_tests::redis::RedisServer;
use agent_tests::rounds;

use super::World;
use super::cluster::Cluster;
use super::coverage::Coverage;
use super::cuts;
use super::load::Load;

#[tokio::test]
async fn redis_restart__keeps_what_clients_saw() {
    let redis = RedisServer::start_durable().expect("a Redis server");
    let (world, mut cluster) = Cluster::on_redis(redis).await;
    let mut coverage = Coverage::default();
    for round in 0..rounds(4) {
        let mut rng = world.rng(round).fork(1 << 32);
        let mut history = History::default();
        let mut load = Load::begin(&world, round);
        load.until(rng.below(60), &mut history).await;
        cluster.redis().restart().expect("it starts again");
        let history = load.end(history).await.history;
        world.check(&history);
        coverage.add(&history);
    }
    coverage.check_statuses();
    cluster.check_health().await;
}

/// Kills and restarts Redis whenever the clients have this many more events.
async fn interrupt(world: &World, cluster: &mut Cluster, load: &mut Load, history: &mut History) {
    for part in 1..=4 {
        load.until(part * world.rng(part).below(150), history).await;
        cluster.redis().restart().expect("it starts again");
    }
}

#[tokio::test]
async fn redis_restart__streams_cut_everywhere__resume() {
    let redis = RedisServer::start_durable().expect("a Redis server");
    let (world, mut cluster) = Cluster::on_redis(redis).await;
    let (mut load, mut history) = (cuts::load(&world), History::default());
    interrupt(&world, &mut cluster, &mut load, &mut history).await;
    let history = load.end(history).await.history;
    world.check(&history);
    cuts::check_completed(&history);
    cluster.check_health().await;
}
