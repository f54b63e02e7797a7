//! Runs that continue others: what they store, and what their agents see of the context.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use agent_runner::{
    Agent, AgentError, ContextError, Recovery, Run, RunContext, RunHandle, RunOptions, Runner, Services,
};
use agent_schemas::{AgentRequest, Message, RunId, Status};
use agent_services::StoreContext;
use agent_services::clock::ManualClock;
use agent_services::run::{
    Batch, Created, FinishRun, InMemoryRunStore, NewRun, OwnerId, Retention, RunRecord, fresh_id,
};
use async_trait::async_trait;

use crate::faulty_store::FaultyStore;
use crate::support::{collect, outline};

/// How long runs are kept.
const KEPT: Duration = Duration::from_secs(400);

/// Answers with the new messages and everything that it was given, and works forever on the first attempt at `hang`.
#[derive(Debug)]
struct Repeating;

#[async_trait]
impl Agent for Repeating {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        let texts: Vec<String> = run.request().input.iter().map(Message::full_text).collect();
        let new: Vec<String> = run.new_input().iter().map(Message::full_text).collect();
        if new == ["hang"] {
            run.say("hangs");
            if run.earlier().is_empty() {
                pending::<()>().await;
            }
        }
        // An answer that repeats everything doubles with each run.
        let all = if texts.len() > 10 { "many".to_owned() } else { texts.join("|") };
        run.say(&format!("{} of {all}", new.join("|")));
        Ok(())
    }

    fn recovery(&self) -> Recovery {
        Recovery::Continue
    }
}

struct World {
    services: Services,
    store: Arc<FaultyStore>,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(1_800_000_000));
        let context = StoreContext::default().with_clock(Arc::clone(&clock) as _);
        let retention = Retention { age: KEPT, bytes: 1 << 30 };
        let store = Arc::new(FaultyStore::over(InMemoryRunStore::new(context).with_retention(retention)));
        let mut services = Services::in_memory();
        services.runs = Arc::clone(&store) as _;
        services.clock = Arc::clone(&clock) as _;
        World { services, store, clock }
    }

    fn runner(&self) -> Runner {
        let builder = Runner::builder().agent("repeating", Repeating).services(self.services.clone());
        builder.build().expect("one agent")
    }

    async fn record(&self, id: &RunId) -> RunRecord {
        self.services.runs.get(id).await.expect("readable").expect("there")
    }

    /// Lets this many seconds pass, and deletes what is too old.
    async fn age(&self, seconds: i64) {
        self.clock.advance(seconds);
        self.services.runs.sweep().await.expect("swept");
    }
}

async fn context(runner: &Runner, previous: &RunId) -> Result<RunContext, ContextError> {
    runner.context(previous, |_| true).await
}

async fn start(runner: &Runner, previous: Option<&RunId>, text: &str) -> Run {
    let context = match previous {
        Some(previous) => Some(context(runner, previous).await.expect("a context")),
        None => None,
    };
    let request = AgentRequest::new(vec![Message::user(text)]);
    runner.start_with(request, RunOptions::default(), context).await.expect("started")
}

/// An ended run, and its agent's answer.
async fn said(runner: &Runner, previous: Option<&RunId>, text: &str) -> (RunId, String) {
    let run = start(runner, previous, text).await;
    let response = run.response().await.expect("it ends");
    (run.id().clone(), response.messages().last().map(Message::full_text).unwrap_or_default())
}

#[tokio::test]
async fn continuing__short_pauses__stores_links_and_shows_everything() {
    let world = World::new();
    let runner = world.runner();
    let (first, _) = said(&runner, None, "a").await;
    let (second, text) = said(&runner, Some(&first), "b").await;
    assert_eq!(text, "b of a|a of a|b");
    let (third, text) = said(&runner, Some(&second), "c").await;
    assert_eq!(text, "c of a|a of a|b|b of a|a of a|b|c");
    let (_, text) = said(&runner, Some(&first), "d").await;
    assert_eq!(text, "d of a|a of a|d", "two continue the same one");
    let record = world.record(&third).await;
    assert_eq!((record.request.input.len(), record.options.continues), (1, Some(second)));
}

/// Stores this many more ended runs like the first one, each of which continues the previous one; returns the last one.
async fn prolong(world: &World, first: &RunId, count: usize) -> RunId {
    let runs = &world.services.runs;
    let mut last = first.clone();
    let end = runs.chain(first, 1).await.expect("readable").remove(0);
    let frames = end.last.expect("it has ended").frames;
    for _ in 0..count {
        let mut record = end.record.clone();
        record.id = fresh_id(&*world.services.ids, &record.user_id);
        record.options.continues = Some(last);
        last = record.id.clone();
        let new = NewRun::new(record, Batch::empty(0), OwnerId::new("test"));
        let Created::Started(token) = runs.create(new).await.expect("made") else { panic!("it waits") };
        let batch = Batch { first: 0, count: 1, frames: frames.clone() };
        let finish = FinishRun::new(last.clone(), token, batch, Status::Completed);
        runs.finish(finish).await.expect("finished");
    }
    last
}

#[tokio::test]
async fn continuing__of_many_runs__reads_each_once_and_stays_bounded() {
    let world = World::new();
    let runner = world.runner();
    let (first, _) = said(&runner, None, "x").await;
    let last = prolong(&world, &first, 254).await;
    let (linked, _) = said(&runner, Some(&last), "x").await;
    assert!(world.record(&linked).await.options.continues.is_some());
    let before = world.store.calls(&["get", "read"]);
    let (whole, text) = said(&runner, Some(&linked), "y").await;
    assert_eq!(world.store.calls(&["get", "read"]) - before, 2 * 256, "each run is read once");
    assert_eq!(text, "y of many");
    let record = world.record(&whole).await;
    assert_eq!((record.options.continues, record.request.input.len()), (None, 513), "a new chain begins");
    let before = world.store.calls(&["get", "read"]);
    let next = context(&runner, &whole).await.expect("a context");
    assert_eq!((next.messages().len(), world.store.calls(&["get", "read"]) - before), (514, 2));
}

#[tokio::test]
async fn continuing__what_goes_soon__stores_everything_again() {
    let world = World::new();
    let runner = world.runner();
    let (first, _) = said(&runner, None, "a").await;
    world.age(90).await;
    let (second, _) = said(&runner, Some(&first), "b").await;
    assert!(world.record(&second).await.options.continues.is_some(), "there are three quarters left");
    world.age(90).await;
    let (third, text) = said(&runner, Some(&second), "c").await;
    assert!(text.starts_with("c of a|"), "{text}");
    let record = world.record(&third).await;
    assert_eq!(
        (record.options.continues, record.options.inherited, record.request.input.len()),
        (None, 4, 5)
    );
    // The first one is deleted. A run that only links to it cannot be continued, and the error says so; a run that contains
    // everything can.
    world.age(230).await;
    let gap = context(&runner, &second).await.expect_err("a gap");
    assert!(matches!(&gap, ContextError::Gap(gone) if *gone == first), "{gap}");
    let (_, text) = said(&runner, Some(&third), "d").await;
    assert!(text.starts_with("d of a|a of a|b|"), "{text}");
    let missing = context(&runner, &first).await.expect_err("it is gone");
    assert!(matches!(missing, ContextError::Missing(_)), "{missing}");
}

#[tokio::test]
async fn continuing__of_longer_kept_runs__goes_by_their_own_time() {
    let world = World::new();
    let runner = world.runner();
    let long = || RunOptions::default().with_response_ttl(100 * KEPT);
    let request = |text: &str| AgentRequest::new(vec![Message::user(text)]);
    let first = runner.start(request("a"), long()).await.expect("started");
    first.response().await.expect("it ends");
    let first = first.id().clone();
    world.age(1000).await;
    assert!(world.record(&first).await.first_entry > 0, "its log is gone");
    let loaded = context(&runner, &first).await.expect("its input and output are kept");
    let linked = runner.start_with(request("b"), long(), Some(loaded)).await.expect("started");
    assert_eq!(world.record(linked.id()).await.options.continues, Some(first));
    linked.response().await.expect("it ends");
    // A run that is kept for long must not depend on one that is kept for a short time.
    let (short, _) = said(&runner, Some(linked.id()), "c").await;
    let loaded = context(&runner, &short).await.expect("a context");
    let last = runner.start_with(request("d"), long(), Some(loaded)).await.expect("started");
    assert_eq!(world.record(last.id()).await.options.continues, None);
}

#[tokio::test]
async fn continuing__what_has_not_ended__is_refused() {
    let world = World::new();
    let runner = world.runner();
    let run = start(&runner, None, "hang").await;
    let unfinished = context(&runner, run.id()).await.expect_err("it works");
    assert!(matches!(unfinished, ContextError::Unfinished(_)), "{unfinished}");
    let refused = runner.context(run.id(), |_| false).await.expect_err("not allowed");
    assert!(matches!(refused, ContextError::Missing(_)), "{refused}");
}

/// Starts a run that continues another one in a process that then dies.
fn leave_behind(world: &World) -> (RunId, RunId) {
    let process = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let runner = world.runner();
    let ids = process.block_on(async {
        let (first, _) = said(&runner, None, "a").await;
        let hanging = start(&runner, Some(&first), "hang").await.id().clone();
        while world.record(&hanging).await.entries < 6 {
            tokio::task::yield_now().await;
        }
        runner.release_lease().await.expect("released");
        (first, hanging)
    });
    process.shutdown_background();
    world.clock.advance(60);
    ids
}

#[test]
fn continued_run__process_died__sees_the_same_context() {
    let world = World::new();
    let (_, hanging) = leave_behind(&world);
    let process = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    process.block_on(async {
        let runner = world.runner();
        runner.watch().await.expect("heard");
        let run = runner.attach(&hanging).await.expect("readable").expect("there");
        let response = run.response().await.expect("it ends");
        assert_eq!(
            response.messages().last().map(Message::full_text),
            Some("hang of a|a of a|hang".to_owned())
        );
    });
}

#[test]
fn continued_run__its_context_is_deleted_meanwhile__ends_incomplete() {
    let world = World::new();
    let (first, hanging) = leave_behind(&world);
    let process = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    process.block_on(async {
        assert!(world.services.runs.delete(&first).await.expect("deleted"));
        let runner = world.runner();
        runner.watch().await.expect("heard");
        let run = runner.attach(&hanging).await.expect("readable").expect("there");
        let log = outline(&collect(run.cursor(0)).await);
        assert_eq!(log.last().map(String::as_str), Some("response incomplete"), "{log:?}");
        let error = run.response().await.expect("it has ended").error.expect("why");
        assert!(error.message.contains(first.as_str()), "{error:?}");
    });
}
