//! Clients that cut their connections, and resume reading from another server.

use agent_tests::history::{History, Policy};
use agent_tests::redis::RedisServer;

use super::World;
use super::cluster::Cluster;
use super::load::Load;
use super::reader::Cuts;
use super::workload::Workload;

/// The number of events of a run of [`WORDS`] words.
const EVENTS: usize = 27;
const WORDS: usize = 20;

/// Clients of runs that cut their connections, each after one more event than the previous one, and one after every event.
pub(super) fn load(world: &World) -> Load {
    let cuts = (1..EVENTS).map(Cuts::Once).chain([Cuts::Always]);
    let workloads: Vec<Workload> = cuts.enumerate().map(|(number, cuts)| workload(number, cuts)).collect();
    let sessions = (0..workloads.len()).map(session).collect();
    Load::of(world, 0, sessions, workloads)
}

/// Expects each client to have its run, and each run to be completed.
pub(super) fn check_completed(history: &History) {
    assert_eq!(history.kept.len(), EVENTS, "each client has its run");
    for kept in &history.kept {
        assert_eq!(kept.status, "completed", "{kept:#?}");
    }
}

fn workload(number: usize, cuts: Cuts) -> Workload {
    Workload {
        user: "user-0".to_owned(),
        session: session(number),
        policy: Policy::Enqueue,
        tag: format!("cut-{number}"),
        text: WORDS.to_string(),
        key: Some(format!("key-{number}")),
        in_background: false,
        cuts,
        is_canceled: false,
    }
}

fn session(number: usize) -> String {
    format!("session-{number}")
}

async fn cut_everywhere(world: &World, cluster: &Cluster) {
    let history = load(world).end(History::default()).await.history;
    world.check(&history);
    check_completed(&history);
    let lengths: Vec<usize> = history.kept.iter().map(|kept| kept.log.len()).collect();
    assert_eq!(lengths, [EVENTS; EVENTS]);
    cluster.check_health().await;
}

#[tokio::test]
async fn streams__cut_everywhere__resume_from_sqlite() {
    let (world, cluster) = Cluster::on_disk().await;
    cut_everywhere(&world, &cluster).await;
}

#[tokio::test]
async fn streams__cut_everywhere__resume_at_other_replicas() {
    let (world, cluster) = Cluster::on_redis(RedisServer::start().expect("a Redis server")).await;
    cut_everywhere(&world, &cluster).await;
}
