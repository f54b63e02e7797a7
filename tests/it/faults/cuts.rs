//! Clients that cut their connections, and read on at another server.

use agent_tests::history::{History, Policy};
use agent_tests::redis::RedisServer;

use super::World;
use super::cluster::Cluster;
use super::load::Load;
use super::reader::Cuts;
use super::wish::Wish;

/// How many events a run of [`WORDS`] words has.
const EVENTS: usize = 27;
const WORDS: usize = 20;

/// Runs that are cut once each, at one event after the other, and one that is cut after every event.
pub(super) fn wishes() -> Vec<Wish> {
    let cuts = (1..EVENTS).map(Cuts::Once).chain([Cuts::Always]);
    cuts.enumerate().map(|(number, cuts)| wish(number, cuts)).collect()
}

fn wish(number: usize, cuts: Cuts) -> Wish {
    Wish {
        user: "user-0".to_owned(),
        session: session(number),
        policy: Policy::Enqueue,
        tag: format!("cut-{number}"),
        text: WORDS.to_string(),
        key: None,
        in_background: false,
        cuts,
        is_canceled: false,
    }
}

pub(super) fn session(number: usize) -> String {
    format!("session-{number}")
}

async fn cut_everywhere(world: &World, cluster: &Cluster) {
    let wishes = wishes();
    let sessions = (0..wishes.len()).map(session).collect();
    let history = Load::of(world, 0, sessions, wishes).end(History::default()).await.history;
    world.check(&history);
    assert_eq!(history.kept.len(), EVENTS, "each client has its run");
    for kept in &history.kept {
        assert_eq!((kept.status.as_str(), kept.log.len()), ("completed", EVENTS), "{kept:#?}");
    }
    cluster.check_health().await;
}

#[tokio::test]
async fn streams_that_are_cut_everywhere_are_read_on_from_sqlite() {
    let (world, cluster) = Cluster::on_disk().await;
    cut_everywhere(&world, &cluster).await;
}

#[tokio::test]
async fn streams_that_are_cut_everywhere_are_read_on_at_other_replicas() {
    let (world, cluster) = Cluster::on_redis(RedisServer::start().expect("a Redis server")).await;
    cut_everywhere(&world, &cluster).await;
}
