//! A Redis that is killed and started again while clients of all sorts are at work.

use agent_tests::history::History;
use agent_tests::redis::RedisServer;
use agent_tests::rounds;

use super::cluster::Cluster;
use super::load::Load;

#[tokio::test]
async fn what_clients_saw_survives_the_end_of_redis() {
    let redis = RedisServer::start_durable().expect("a Redis server");
    let (world, mut cluster) = Cluster::on_redis(redis).await;
    for round in 0..rounds(10) {
        let mut dice = world.dice(round).of(1 << 32);
        let mut history = History::default();
        let mut load = Load::begin(&world, round);
        load.until(dice.roll(60), &mut history).await;
        cluster.redis().restart().expect("it starts again");
        world.check(&load.end(history).await.history);
    }
    cluster.check_health().await;
}
