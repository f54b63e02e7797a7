//! Owners that are paused for less than their leases, while another server acknowledges requests about their runs.

use agent_tests::history::{History, Policy};
use agent_tests::redis::RedisServer;
use agent_tests::{rounds, within};

use super::World;
use super::cluster::Cluster;
use super::coverage::Coverage;
use super::load::Load;
use super::reader::{Cuts, Reader};
use super::wire::{get, json_of, request};
use super::workload::Workload;

fn workload(user: &str, session: &str, tag: &str, policy: Policy) -> Workload {
    Workload {
        user: user.to_owned(),
        session: session.to_owned(),
        policy,
        tag: tag.to_owned(),
        text: "3".to_owned(),
        key: None,
        in_background: true,
        cuts: Cuts::Never,
        is_canceled: false,
    }
}

impl Reader {
    /// Sends a request about each of a user's runs in progress, to a server that does not own the run.
    async fn ask_of_all(&mut self, user: &str, round: usize) {
        let path = format!("/runs?user_id={user}&status=in_progress&limit=100");
        let page = json_of(&self.ask(&get(&path, ""), &[200]).await.body);
        for (number, run) in page["data"].as_array().expect("runs").iter().enumerate() {
            let text = |name: &str| run[name].as_str().unwrap_or_default().to_owned();
            let (id, session, tag) = (text("id"), text("session_id"), format!("asked-{round}-{number}"));
            match self.rng.below(4) {
                0 | 1 => self.cancel(&id).await,
                2 => drop(self.started(&workload(user, &session, &tag, Policy::Steer)).await),
                _ => drop(self.started(&workload(user, &session, &tag, Policy::Interrupt)).await),
            }
        }
    }

    /// Starts a run in its own session, and reads it to its end.
    async fn finished_run(&mut self, user: &str, round: usize) -> String {
        let workload =
            workload(user, &format!("deleted-{round}"), &format!("deleted-{round}"), Policy::Enqueue);
        loop {
            if let Some((run, _)) = self.started(&workload).await {
                self.follow(&run, None, Cuts::Never).await;
                return run;
            }
        }
    }

    async fn delete(&mut self, run: &str) {
        // A repetition after a lost answer may find nothing to delete.
        self.ask(&request("DELETE", &format!("/runs/{run}")), &[204, 404]).await;
        self.history.deleted.push(run.to_owned());
    }

    /// Waits until a server no longer knows a run. The one that executed it may learn only now that it has ended.
    async fn until_gone(&mut self, run: &str) {
        within(&format!("{run} to be gone"), async {
            while self.ask(&get(&format!("/runs/{run}/events"), ""), &[200, 404, 410]).await.status != 404 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

async fn pause_around_requests(world: &World, cluster: &Cluster, round: usize) -> History {
    let mut rng = world.rng(round).fork(1 << 32);
    let mut history = History::default();
    let mut load = Load::begin(world, round);
    let (user, mut client) = (load.user.clone(), load.client(round));
    let finished = client.finished_run(&user, round).await;
    load.until(1 + rng.below(40), &mut history).await;
    let owner = load.progress.owner.borrow().unwrap_or_default();
    cluster.pause(owner);
    client.ask_of_all(&user, round).await;
    client.delete(&finished).await;
    // When the owner wakes up, its agents immediately have everything that they wait for.
    cluster.model_is_silent().await;
    cluster.wake(owner);
    cluster.leave_open_only(owner);
    client.until_gone(&finished).await;
    cluster.open_all();
    history.extend(client.history);
    load.end(history).await.history
}

#[tokio::test]
async fn paused_owner__others_acknowledge_requests__all_have_their_effect() {
    let redis = RedisServer::start().expect("a Redis server");
    let (world, cluster) = Cluster::on_redis_with_long_leases(redis).await;
    let mut coverage = Coverage::default();
    for round in 0..rounds(8) {
        let history = pause_around_requests(&world, &cluster, round).await;
        world.check(&history);
        coverage.add(&history);
    }
    coverage.check_continuity();
    cluster.check_health().await;
}
