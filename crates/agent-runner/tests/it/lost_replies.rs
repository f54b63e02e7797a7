//! Lost replies of the store never leave a run without an end.

use std::sync::Arc;
use std::time::Duration;

use agent_runner::agents::Echo;
use agent_runner::{
    Agent, PositionError, Run, RunHandle, RunOptions, Runner, Services, StartError, agent_fn,
};
use agent_schemas::{AgentRequest, Event, Message, RunId, SessionId, UserId};
use agent_services::clock::ManualClock;
use agent_services::page::PageSize;
use agent_services::run::{Batch, InMemoryRunStore, OwnerId, RunFilter, RunRecord, SessionPolicy};
use agent_services::{ErrorKind, StoreContext};
use tokio::time::timeout;

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{collect, outline};

/// The store is unavailable and has done nothing.
const AWAY: Fault = Fault::Refused(ErrorKind::Unavailable);

struct World {
    store: Arc<FaultyStore>,
    clock: Arc<ManualClock>,
    runner: Runner,
}

impl World {
    fn new(agent: impl Agent) -> Self {
        let clock = Arc::new(ManualClock::at(1_800_000_000));
        let context = StoreContext::default().with_clock(Arc::clone(&clock) as _);
        let store = Arc::new(FaultyStore::over(InMemoryRunStore::new(context)));
        let mut services = Services::in_memory();
        services.runs = Arc::clone(&store) as _;
        let runner = Runner::builder().agent("test", agent).services(services).build().expect("built");
        World { store, clock, runner }
    }

    async fn start(&self, text: &str, policy: SessionPolicy) -> Result<Run, StartError> {
        let mut request = AgentRequest::new(vec![Message::user(text)]);
        request.session_id = Some("s".to_owned());
        let options = RunOptions::default();
        self.runner.start(request, options.with_session_policy(policy)).await
    }

    async fn started(&self, text: &str) -> Run {
        self.start(text, SessionPolicy::Enqueue).await.expect("started")
    }

    async fn runs(&self) -> Vec<RunRecord> {
        let listed =
            self.runner.list(&UserId::new("s"), &RunFilter::default(), None, PageSize::default()).await;
        listed.expect("listed").items
    }

    async fn record(&self, id: &RunId) -> RunRecord {
        self.runner.record(id).await.expect("readable").expect("there")
    }

    /// The last event of a run's log, which must end.
    async fn end(&self, id: &RunId) -> String {
        let run = self.runner.attach(id).await.expect("readable").expect("there");
        let ended = timeout(Duration::from_secs(30), collect(run.cursor(0))).await;
        let log: Vec<Event> = ended.expect("the run ends");
        outline(&log).pop().expect("events")
    }
}

/// An agent that works until it is cancelled.
fn patient() -> impl Agent {
    agent_fn(|run: RunHandle| async move {
        run.message().text().delta("hm");
        run.cancelled().await;
        Ok(())
    })
}

#[tokio::test(start_paused = true)]
async fn next_run__store_unavailable_at_its_turn__still_starts() {
    let world = World::new(patient());
    let first = world.started("first").await;
    let second = world.started("second").await.id().clone();
    for fault in [AWAY, AWAY] {
        world.store.fail("get", fault);
    }
    first.cancel();
    assert_eq!(outline(&collect(first.cursor(0)).await).pop().as_deref(), Some("response canceled"));
    while !world.store.is_well() {
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    assert!(world.runner.cancel(&second).await.expect("asked"));
    assert_eq!(world.end(&second).await, "response canceled");
}

#[tokio::test(start_paused = true)]
async fn create__lost_reply__run_is_executed() {
    let world = World::new(Echo::default());
    world.store.fail("create", Fault::LostReply);
    let refused = world.start("hi", SessionPolicy::Enqueue).await;
    assert!(matches!(refused, Err(StartError::Store(_))), "{refused:?}");
    let runs = world.runs().await;
    assert_eq!(world.end(&runs[0].id).await, "response completed");
}

#[tokio::test(start_paused = true)]
async fn create__client_gone__run_is_executed() {
    let world = World::new(Echo::default());
    world.store.fail("create", Fault::Silent { is_done: true });
    assert!(timeout(Duration::from_secs(1), world.start("hi", SessionPolicy::Enqueue)).await.is_err());
    let runs = world.runs().await;
    assert_eq!(world.end(&runs[0].id).await, "response completed");
}

#[tokio::test(start_paused = true)]
async fn take_over__lost_reply__run_is_executed() {
    let world = World::new(Echo::default());
    world.store.fail("create", Fault::LostReply);
    world.store.fail("take_over", AWAY);
    world.store.fail("take_over", Fault::LostReply);
    world.store.fail("get", AWAY);
    assert!(world.start("hi", SessionPolicy::Enqueue).await.is_err());
    while !world.store.is_well() {
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let runs = world.runs().await;
    assert_eq!(world.end(&runs[0].id).await, "response completed");
}

#[tokio::test(start_paused = true)]
async fn cancel__lost_reply__waiting_run_ends() {
    let world = World::new(patient());
    let _first = world.started("first").await;
    let second = world.started("second").await.id().clone();
    world.store.fail("cancel", Fault::LostReply);
    assert!(world.runner.cancel(&second).await.is_err());
    assert_eq!(world.end(&second).await, "response canceled");
}

#[tokio::test(start_paused = true)]
async fn cancel__store_unavailable__is_not_acknowledged_and_takes_effect() {
    let world = World::new(patient());
    let run = world.started("hi").await;
    world.store.fail("cancel", AWAY);
    assert!(world.runner.cancel(run.id()).await.is_err(), "another process would not know of it");
    assert_eq!(world.end(run.id()).await, "response canceled");
}

#[tokio::test(start_paused = true)]
async fn take_over__lease_expired_in_the_store__is_renewed_first() {
    let world = World::new(Echo::default());
    world.runner.watch().await.expect("heard");
    world.store.fail("create", Fault::LostReply);
    assert!(world.start("hi", SessionPolicy::Enqueue).await.is_err());
    world.clock.advance(60);
    let runs = world.runs().await;
    assert_eq!(world.end(&runs[0].id).await, "response completed");
}

#[tokio::test(start_paused = true)]
async fn orphan__lease_not_renewed__is_left_alone() {
    let world = World::new(patient());
    let services = world.runner.services().clone();
    let other = Runner::builder().agent("test", patient()).services(services).build().expect("built");
    other.watch().await.expect("heard");
    let run = world.started("hi").await;
    world.runner.release_lease().await.expect("released");
    for _ in 0..200 {
        world.store.fail("heartbeat", AWAY);
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(world.record(run.id()).await.epochs.is_empty(), "it may be this process that has lost the store");
    world.store.heal();
    while world.record(run.id()).await.epochs.is_empty() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn cancel__run_lost_and_restarted__takes_effect() {
    let world = World::new(patient());
    for _ in 0..2 {
        world.store.fail("append", Fault::Refused(ErrorKind::Conflict));
    }
    let lost = world.started("hi").await;
    let id = lost.id().clone();
    while world.record(&id).await.entries < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.record(&id).await.epochs, [1]);
    drop(lost);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(world.runner.cancel(&id).await.expect("asked"));
    assert_eq!(world.end(&id).await, "response canceled");
}

#[tokio::test(start_paused = true)]
async fn resume__position_stored_but_unacknowledged__is_accepted() {
    let world = World::new(patient());
    // It is stored, and the acknowledgement is still in transit.
    world.store.fail("append", Fault::Silent { is_done: true });
    let run = world.started("hi").await;
    let entries = world.record(run.id()).await.entries;
    assert!(entries > 1, "{entries}");
    assert!(run.cursor_after(entries - 1, 1).await.is_ok());
    assert!(run.cursor_after(entries, 1).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn resume__store_silent__is_not_told_that_the_position_is_gone() {
    let world = World::new(patient());
    world.store.fail("append", Fault::Silent { is_done: true });
    let run = world.started("hi").await;
    let last = world.record(run.id()).await.entries - 1;
    world.store.fail("get", Fault::Late);
    let answered = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        world.store.released.cancel();
    };
    let (found, ()) = tokio::join!(run.cursor_after(last, 1), answered);
    assert!(found.is_ok());
    // Only the store's answer to the repeated call may be that it is gone.
    for position in [last, last + 1] {
        world.store.fail("get", AWAY);
        let failed = run.cursor_after(position, 1).await;
        assert!(matches!(failed, Err(PositionError::Store(_))), "{failed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn resume__position_of_later_owner__is_accepted() {
    let world = World::new(patient());
    let run = world.started("hi").await;
    while world.record(run.id()).await.entries < 4 {
        tokio::task::yield_now().await;
    }
    world.runner.release_lease().await.expect("released");
    let (runs, other) = (&world.runner.services().runs, OwnerId::new("other"));
    runs.heartbeat(&other, Duration::from_secs(60)).await.expect("it lives");
    let token = runs.take_over(run.id(), &other).await.expect("asked").expect("taken");
    let frames = "id: 4.2\ndata: {}\n\n".into();
    runs.append(run.id(), token, Batch { first: 4, count: 1, frames }).await.expect("stored");
    assert!(run.cursor_after(4, 2).await.is_ok());
    assert!(run.cursor_after(4, 1).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn steer__accepted_and_agent_dropped__starts_no_run() {
    let world = World::new(agent_fn(|run: RunHandle| async move {
        while run.steered().await?.is_empty() {
            tokio::task::yield_now().await;
        }
        Ok(())
    }));
    world.store.fail("drop_steered", Fault::Silent { is_done: false });
    let run = world.started("hi").await;
    let steered = world.start("more", SessionPolicy::Steer).await.expect("handed over");
    assert_eq!(steered.id(), run.id());
    while !world.store.is_well() {
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    run.cancel();
    assert_eq!(world.end(run.id()).await, "response canceled");
    assert_eq!(world.runs().await.len(), 1, "it was dropped");
    let (user, session) = (UserId::new("s"), SessionId::new("s"));
    let said = world.runner.services().sessions.messages(&user, &session, 0, PageSize::default()).await;
    let said = said.expect("readable").expect("there");
    let texts: Vec<_> = said.iter().map(|stored| stored.message.full_text()).collect();
    assert_eq!(texts, ["hi", "more", ""], "and that it was cancelled");
}

#[tokio::test(start_paused = true)]
async fn steer__store_unavailable__is_awaited() {
    let world = World::new(agent_fn(|run: RunHandle| async move {
        loop {
            let handed = run.steered().await?;
            if let Some(message) = handed.first() {
                run.say(&format!("{} {}", handed.len(), message.full_text()));
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }));
    let run = world.started("hi").await;
    for call in ["steered", "steered", "drop_steered"] {
        world.store.fail(call, AWAY);
    }
    world.start("more", SessionPolicy::Steer).await.expect("handed over");
    assert_eq!(world.end(run.id()).await, "response completed");
    let response = run.response().await.expect("readable");
    assert_eq!(response.messages().last().map(Message::full_text).as_deref(), Some("1 more"));
    assert!(world.store.is_well());
}
