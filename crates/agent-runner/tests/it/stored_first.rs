//! A run is in the store before its agent begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_runner::{Agent, Durability, RunHandle, RunOptions, Runner, Services, StartError, agent_fn};
use agent_schemas::{AgentRequest, Message, SessionId, Status, UserId};
use agent_services::ErrorKind::{Conflict, Unavailable};
use agent_services::page::PageSize;
use agent_services::run::RunFilter;
use futures_util::poll;
use tokio::task::yield_now;

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{collect, outline};

/// A runner whose store fails the next `create` in this way.
fn faulty(agent: impl Agent, fault: Fault) -> (Runner, Arc<FaultyStore>) {
    let store = Arc::new(FaultyStore::default());
    store.fail("create", fault);
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

/// An agent that writes two words, with or without a pause between them, and the number of its starts.
fn counted(pauses: bool) -> (impl Agent, Arc<AtomicUsize>) {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let agent = agent_fn(move |run: RunHandle| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            let message = run.message();
            let mut content = message.text();
            content.delta("one ");
            if pauses {
                yield_now().await;
            }
            content.delta("two");
            Ok(())
        }
    });
    (agent, begun)
}

#[tokio::test]
async fn agent__starts_after_its_run_is_stored() {
    for (durability, pauses) in [
        (Durability::Strict, true),
        (Durability::Strict, false),
        (Durability::Relaxed, true),
        (Durability::Relaxed, false),
    ] {
        let (agent, begun) = counted(pauses);
        let (runner, store) = faulty(agent, Fault::Late);
        let options = RunOptions::default().with_durability(durability);
        let mut start = Box::pin(runner.start(request(), options));
        for _ in 0..100 {
            assert!(
                poll!(start.as_mut()).is_pending(),
                "the client does not learn of a run that may be lost"
            );
            yield_now().await;
        }
        assert_eq!(begun.load(Ordering::SeqCst), 0);
        store.released.cancel();
        let run = start.await.expect("it is stored");
        let log = outline(&collect(run.cursor(0)).await);
        assert_eq!(log.first().map(String::as_str), Some("response created"));
        assert_eq!(log.last().map(String::as_str), Some("response completed"));
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        let record = runner.record(run.id()).await.expect("readable").expect("there");
        assert_eq!(record.status, Status::Completed);
        let session = runner.services().sessions.get(&UserId::new("s"), &SessionId::new("s")).await;
        assert_eq!(session.expect("readable").expect("kept").message_count, 2);
    }
}

#[tokio::test]
async fn agent__run_not_stored__does_not_start() {
    for kind in [Unavailable, Conflict] {
        let (agent, begun) = counted(true);
        let (runner, _) = faulty(agent, Fault::Refused(kind));
        let refused = runner.start(request(), RunOptions::default()).await.expect_err("it is not stored");
        let StartError::Store(error) = &refused else { panic!("not a fault of the store: {refused}") };
        assert_eq!(error.kind(), kind, "{error}");
        // The store is asked whether it has created the run after all.
        runner.close();
        runner.drained().await;
        assert_eq!(begun.load(Ordering::SeqCst), 0);
        let listed = runner.list(&UserId::new("s"), &RunFilter::default(), None, PageSize::default()).await;
        assert_eq!(listed.expect("listed").items, []);
    }
}
