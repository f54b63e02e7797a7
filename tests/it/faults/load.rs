//! The clients of one round, and their requests: runs of several sessions, with all policies, in the background and in the
//! foreground.

use std::sync::Arc;

use agent_tests::history::{History, Policy};
use agent_tests::within;
use tokio::task::JoinSet;

use super::World;
use super::reader::{Cuts, Progress, Reader};
use super::rng::Rng;
use super::workload::Workload;

/// The active clients of one round.
#[derive(Debug)]
pub(super) struct Load {
    world: World,
    pub(super) user: String,
    sessions: Vec<String>,
    pub(super) progress: Arc<Progress>,
    clients: JoinSet<History>,
}

impl Load {
    /// Starts clients, with another user in each round.
    pub(super) fn begin(world: &World, round: usize) -> Self {
        let mut rng = world.rng(round);
        let user = format!("user-{round}");
        let sessions: Vec<String> = (0..2).map(|number| format!("session-{round}-{number}")).collect();
        let mut workloads = Vec::new();
        for session in &sessions {
            for number in 0..2 + rng.below(3) {
                workloads.push(workload(&user, session, number, &mut rng));
            }
        }
        Load::of(world, round, sessions, workloads)
    }

    pub(super) fn of(world: &World, round: usize, sessions: Vec<String>, workloads: Vec<Workload>) -> Self {
        let progress = Arc::new(Progress::default());
        let rng = world.rng(round);
        let mut clients = JoinSet::new();
        for (number, workload) in workloads.into_iter().enumerate() {
            let reader = Reader::new(world, rng.fork(number as u64), &progress);
            clients.spawn(async move { within("a client to be done", reader.execute(workload)).await });
        }
        Load { world: world.clone(), user: format!("user-{round}"), sessions, progress, clients }
    }

    /// One more client, at the same servers.
    pub(super) fn client(&self, round: usize) -> Reader {
        Reader::new(&self.world, self.world.rng(round).fork(1 << 33), &Arc::default())
    }

    /// Waits until the clients have this many events, or all that they want.
    pub(super) async fn until(&mut self, events: usize, history: &mut History) {
        let mut seen = self.progress.events.subscribe();
        loop {
            tokio::select! {
                biased;
                _ = seen.wait_for(|count| *count >= events) => return,
                done = self.clients.join_next() => match done {
                    Some(done) => history.extend(done.expect("a client")),
                    None => return,
                }
            }
        }
    }

    /// Waits until the clients and all runs have ended; returns their history.
    pub(super) async fn end(mut self, mut history: History) -> Reader {
        while let Some(done) = self.clients.join_next().await {
            history.extend(done.expect("a client"));
        }
        let mut reader = Reader::new(&self.world, self.world.rng(0), &self.progress);
        reader.history = history;
        reader.read_final_state(&self.user, &self.sessions).await;
        reader
    }
}

fn workload(user: &str, session: &str, number: usize, rng: &mut Rng) -> Workload {
    let policy = match (number, rng.below(8)) {
        (0, _) | (_, 0..3) => Policy::Enqueue,
        (_, 3) => Policy::Reject,
        (_, 4) => Policy::Interrupt,
        (_, _) => Policy::Steer,
    };
    let tag = format!("{session}-{number}");
    let tool = if rng.below(2) == 0 { " tool" } else { "" };
    Workload {
        user: user.to_owned(),
        session: session.to_owned(),
        policy,
        text: format!("{}{tool}", 3 + rng.below(12)),
        key: (rng.below(4) > 0).then(|| format!("key-{tag}")),
        tag,
        in_background: rng.below(3) == 0,
        cuts: if rng.below(3) == 0 { Cuts::Never } else { Cuts::Sometimes },
        is_canceled: rng.below(6) == 0,
    }
}
