//! Replicas that are paused for longer than their leases, and wake up late.

use agent_tests::history::History;
use agent_tests::redis::RedisServer;
use agent_tests::rounds;

use super::cluster::Cluster;
use super::load::Load;
use super::tally::Tally;

#[tokio::test]
async fn who_wakes_up_late_writes_nothing_more() {
    let (world, cluster) = Cluster::on_redis(RedisServer::start().expect("a Redis server")).await;
    let mut tally = Tally::default();
    for round in 0..rounds(10) {
        let mut dice = world.dice(round).of(1 << 32);
        let mut history = History::default();
        let mut load = Load::begin(&world, round);
        load.until(dice.roll(60), &mut history).await;
        let owner = load.progress.owner.borrow().unwrap_or_default();
        cluster.pause(owner);
        // All runs end without it, so its lease has ended.
        let mut reader = load.end(history).await;
        cluster.wake(owner);
        // It shows the ends that others have written only once it knows that it has lost its runs.
        cluster.leave_open_only(owner);
        reader.read_again().await;
        cluster.open_all();
        reader.read_again().await;
        world.check(&reader.history);
        tally.add(&reader.history);
    }
    tally.check();
    cluster.check_health().await;
}
