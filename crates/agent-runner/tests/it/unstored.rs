//! Runs that begin before they are stored: nobody hears of them until they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_runner::agents::Echo;
use agent_runner::{Agent, Durability, RunHandle, RunOptions, Runner, Services, StartError, agent_fn};
use agent_schemas::{AgentRequest, Message, SessionId, Status, UserId};
use agent_services::ErrorKind::{Conflict, Unavailable};
use agent_services::page::PageSize;
use agent_services::run::{IdempotencyKey, RunFilter, RunStore};
use futures_util::poll;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{collect, outline};

/// A runner over a store that answers the next time before a run is stored, whether it will be or not.
fn early(agent: impl Agent, is_done: bool) -> (Runner, Arc<FaultyStore>) {
    let store = Arc::new(FaultyStore::default());
    store.fail("create", Fault::Early { is_done });
    let mut services = Services::in_memory();
    services.runs = Arc::clone(&store) as _;
    let runner = Runner::builder().agent("test", agent).services(services).build();
    (runner.expect("one agent"), store)
}

fn request() -> AgentRequest {
    let mut request = AgentRequest::new(vec![Message::user("hello")]);
    request.session_id = Some("s".to_owned());
    request
}

/// An agent that waits between two words, and how often it began.
fn waiting() -> (impl Agent, Arc<AtomicUsize>) {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let agent = agent_fn(move |run: RunHandle| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            let message = run.message();
            let mut content = message.text();
            content.delta("one ");
            yield_now().await;
            content.delta("two");
            Ok(())
        }
    });
    (agent, begun)
}

#[tokio::test]
async fn an_agent_begins_at_once_and_is_seen_once_it_is_stored() {
    for durability in [Durability::Strict, Durability::Relaxed] {
        let (agent, begun) = waiting();
        let (runner, store) = early(agent, true);
        store.fail("append", Fault::Late);
        let options = RunOptions::default().with_durability(durability);
        let mut start = Box::pin(runner.start(request(), options));
        for _ in 0..100 {
            assert!(poll!(start.as_mut()).is_pending(), "nobody hears of what may be lost");
            yield_now().await;
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        store.released.cancel();
        let run = start.await.expect("it is stored");
        let log = outline(&collect(run.cursor(0)).await);
        assert_eq!(log.first().map(String::as_str), Some("response created"));
        assert_eq!(log.last().map(String::as_str), Some("response completed"));
        assert_eq!(
            runner.record(run.id()).await.expect("readable").expect("there").status,
            Status::Completed
        );
        let session = runner.services().sessions.get(&UserId::new("s"), &SessionId::new("s")).await;
        assert_eq!(session.expect("readable").expect("kept").message_count, 2);
    }
}

#[tokio::test]
async fn an_agent_that_answers_at_once_is_seen_once_it_is_stored() {
    let (runner, store) = early(Echo::default(), true);
    store.fail("close", Fault::Late);
    let mut start = Box::pin(runner.start(request(), RunOptions::default()));
    assert!(poll!(start.as_mut()).is_pending());
    store.released.cancel();
    let run = start.await.expect("it is stored");
    assert_eq!(outline(&collect(run.cursor(0)).await).last().map(String::as_str), Some("response completed"));
}

#[tokio::test(start_paused = true)]
async fn whoever_asked_is_told_that_the_run_could_not_be_stored() {
    for slow in [true, false] {
        let (agent, _) = waiting();
        let (runner, _) = if slow { early(agent, false) } else { early(Echo::default(), false) };
        let refused = runner.start(request(), RunOptions::default()).await.expect_err("it is not stored");
        let StartError::Store(error) = &refused else { panic!("not a fault of the store: {refused}") };
        assert_eq!(error.kind(), Unavailable, "{error}");
        timeout(Duration::from_secs(60), async {
            runner.close();
            runner.drained().await;
        })
        .await
        .expect("nothing is left to be done");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_after_all_is_looked_after() {
    for (call, slow) in [("append", true), ("close", false)] {
        let (agent, _) = waiting();
        let (runner, store) = if slow { early(agent, true) } else { early(Echo::default(), true) };
        // Once for the run, and once more for what it makes of that.
        store.fail(call, Fault::Refused(Unavailable));
        store.fail(call, Fault::Refused(Unavailable));
        let refused = runner.start(request(), RunOptions::default()).await.expect_err("it was not stored");
        assert!(matches!(refused, StartError::Store(error) if error.kind() == Unavailable), "{call}");
        let listed = runner.list(&UserId::new("s"), &RunFilter::default(), None, PageSize::default()).await;
        let record = listed.expect("listed").items.pop().expect("it is there");
        let run = runner.attach(&record.id).await.expect("readable").expect("there");
        let ended = timeout(Duration::from_secs(600), collect(run.cursor(0))).await.expect("it ends");
        assert_eq!(outline(&ended).last().map(String::as_str), Some("response completed"), "{call}");
    }
}

#[tokio::test]
async fn a_run_that_somebody_else_took_is_a_fault() {
    let (runner, store) = early(Echo::default(), true);
    store.fail("close", Fault::Refused(Conflict));
    let refused = runner.start(request(), RunOptions::default()).await.expect_err("it was not stored");
    assert!(matches!(refused, StartError::Store(error) if error.kind() == Conflict));
}

#[tokio::test]
async fn requests_that_may_be_repeated_are_stored_first() {
    let (runner, store) = early(Echo::default(), false);
    let key = IdempotencyKey::new("key", "fingerprint");
    let run = runner.start(request(), RunOptions::default().with_idempotency_key(key)).await.expect("stored");
    assert!(!store.is_well(), "no early answer was allowed");
    let id = run.id().clone();
    assert!(store.get(&id).await.expect("readable").is_some());
}
