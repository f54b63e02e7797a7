//! Replicas that lose their store for longer than their leases, while all of them keep running.

use agent_schemas::{Status, UserId};
use agent_services::page::PageSize;
use agent_services::redis::{RedisClient, RedisConfig, RedisRunStore};
use agent_services::run::{RunFilter, RunStore};
use agent_services::{Service, StoreContext};
use agent_tests::history::History;
use agent_tests::redis::RedisServer;
use agent_tests::{Flow, rounds, within};

use super::World;
use super::cluster::Cluster;
use super::coverage::Coverage;
use super::load::Load;

/// The runs in Redis, bypassing the broken networks.
async fn runs_of(cluster: &mut Cluster) -> RedisRunStore {
    let config = RedisConfig::new(&cluster.redis().url()).expect("a URL");
    let runs = RedisRunStore::new(RedisClient::new(config), StoreContext::default());
    runs.start().await.expect("Redis runs");
    runs
}

/// Waits until none of a user's runs in progress has an owner.
async fn leases_end(runs: &RedisRunStore, user: &str) {
    let (user, size) = (UserId::new(user), PageSize::default());
    let mut in_progress = RunFilter::default();
    in_progress.status = Some(Status::InProgress);
    within("the leases to end", async {
        loop {
            let orphans = runs.orphans(size).await.expect("readable");
            let left = runs.list(&user, &in_progress, None, size).await.expect("readable").items;
            if left.iter().all(|record| orphans.contains(&record.id)) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// All replicas lose Redis at once: their packets vanish until the connections are reset, or the answers are held back.
async fn lose_all(
    world: &World,
    cluster: &Cluster,
    runs: &RedisRunStore,
    round: usize,
    flow: Flow,
) -> History {
    let mut rng = world.rng(round).fork(1 << 32);
    let mut history = History::default();
    let mut load = Load::begin(world, round);
    load.until(1 + rng.below(60), &mut history).await;
    cluster.links().iter().for_each(|link| link.set(flow));
    leases_end(runs, &load.user).await;
    for link in cluster.links() {
        if flow == Flow::Hole {
            link.reset();
        }
        link.set(Flow::Open);
    }
    load.end(history).await.history
}

#[tokio::test]
async fn replicas__store_lost_for_longer_than_leases__runs_stay_with_their_owners() {
    let (world, mut cluster) = Cluster::over_links(RedisServer::start().expect("a Redis server")).await;
    let runs = runs_of(&mut cluster).await;
    let mut coverage = Coverage::default();
    for round in 0..rounds(4) {
        let flow = if round % 2 == 0 { Flow::Hole } else { Flow::AnswersHeld };
        let history = lose_all(&world, &cluster, &runs, round, flow).await;
        world.check(&history);
        coverage.add(&history);
    }
    runs.stop().await.expect("stopped");
    coverage.check_continuity();
    cluster.check_health().await;
}

#[tokio::test]
async fn replica__store_lost_for_longer_than_lease__others_continue_its_runs() {
    let (world, cluster) = Cluster::over_links(RedisServer::start().expect("a Redis server")).await;
    let mut coverage = Coverage::default();
    for round in 0..rounds(4) {
        let mut rng = world.rng(round).fork(1 << 32);
        let mut history = History::default();
        let mut load = Load::begin(&world, round);
        load.until(rng.below(60), &mut history).await;
        let owner = load.progress.owner.borrow().unwrap_or_default();
        let flow = if round % 2 == 0 { Flow::Hole } else { Flow::AnswersHeld };
        cluster.link(owner).set(flow);
        cluster.close(owner);
        // All runs end without it.
        let mut reader = load.end(history).await;
        if flow == Flow::Hole {
            cluster.link(owner).reset();
        }
        cluster.link(owner).set(Flow::Open);
        cluster.open_all();
        reader.read_again().await;
        world.check(&reader.history);
        coverage.add(&reader.history);
    }
    coverage.check_continuity();
    cluster.check_health().await;
}
