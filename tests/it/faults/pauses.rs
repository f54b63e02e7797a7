//! Replicas that are paused for longer than their leases, and wake up late.

use agent_tests::history::History;
use agent_tests::redis::RedisServer;
use agent_tests::rounds;

use super::cluster::Cluster;
use super::load::Load;

#[tokio::test]
async fn who_wakes_up_late_writes_nothing_more() {
    let (world, cluster) = Cluster::on_redis(RedisServer::start().expect("a Redis server")).await;
    for round in 0..rounds(4) {
        let mut dice = world.dice(round).of(1 << 32);
        let mut history = History::default();
        let mut load = Load::begin(&world, round);
        load.until(dice.roll(60), &mut history).await;
        let owner = load.progress.owner.borrow().unwrap_or_default();
        cluster.pause(owner);
        // All runs end without it, so its lease has ended.
        let mut reader = load.end(history).await;
        cluster.wake(owner);
        // It shows what the others have written, and has changed nothing of that.
        for _ in 0..3 {
            reader.read_again().await;
        }
        world.check(&reader.history);
    }
    cluster.check_health().await;
}
