//! Worker processes that are killed while all kinds of clients are active.

use agent_tests::history::History;
use agent_tests::rounds;

use super::cluster::Cluster;
use super::coverage::Coverage;
use super::load::Load;

/// After this many killed workers, the server is killed too: its workers have then ended so often that new ones are started
/// late.
const WORKERS: usize = 3;

#[tokio::test]
async fn kill__worker__keeps_what_clients_saw() {
    let (world, mut cluster) = Cluster::of_python().await;
    let mut coverage = Coverage::default();
    let mut round = 0;
    while coverage.wants(round, rounds(4)) {
        let mut rng = world.rng(round).fork(1 << 32);
        let mut history = History::default();
        let mut load = Load::begin(&world, round);
        load.until(rng.below(60), &mut history).await;
        if round % (WORKERS + 1) == WORKERS {
            cluster.replace(0).await;
        } else {
            cluster.kill_workers(0);
        }
        let history = load.end(history).await.history;
        world.check(&history);
        coverage.add(&history);
        round += 1;
    }
    coverage.check();
    cluster.check_health().await;
}
