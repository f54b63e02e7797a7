//! The memory limit of all runs together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_runner::{
    Agent, Durability, RunHandle, RunLimits, RunOptions, Runner, Services, StartError, agent_fn,
};
use agent_schemas::{AgentRequest, Error, Message, Status};
use tokio::task::yield_now;

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{collect, start, start_with};

/// An agent that writes this many words without a pause, and then yields once.
fn writer(words: usize) -> impl Agent {
    agent_fn(move |run: RunHandle| async move {
        let message = run.message();
        let mut text = message.text();
        for _ in 0..words {
            text.delta("word ");
        }
        yield_now().await;
        Ok(())
    })
}

/// How long a test waits for other tasks, which should do nothing.
const TURNS: usize = 100;

#[tokio::test]
async fn large_output__written_at_once__is_stored_in_pieces_and_read_in_order() {
    for durability in [Durability::Strict, Durability::Relaxed] {
        let runner = Runner::builder().agent("test", writer(10_000)).build().expect("one agent");
        let run = start_with(&runner, "", RunOptions::default().with_durability(durability)).await;
        let events = collect(run.cursor(0)).await;
        assert!(events.iter().zip(0..).all(|(event, number)| event.sequence_number() == Some(number)));
        let chunk =
            runner.services().runs.read(run.id(), 0, usize::MAX).await.expect("readable").expect("kept");
        let sizes: Vec<_> = chunk.batches.iter().map(|batch| batch.frames.len()).collect();
        assert!(sizes.iter().all(|size| *size <= 256 * 1024), "{sizes:?}");
        assert_eq!(chunk.batches.iter().map(|batch| batch.count).sum::<u64>(), events.len() as u64);
    }
}

#[tokio::test]
async fn memory__requests_of_runs_in_progress__refuse_more_until_a_run_ends() {
    let stuck = agent_fn(async |run: RunHandle| {
        run.cancelled().await;
        Ok(())
    });
    let mut limits = RunLimits::default();
    limits.memory_bytes = 100_000;
    let runner = Runner::builder().agent("test", stuck).limits(limits).build().expect("one agent");
    let request = || AgentRequest::new(vec![Message::user("x".repeat(60_000))]);
    let first = runner.start(request(), RunOptions::default()).await.expect("there is room");
    match runner.start(request(), RunOptions::default()).await {
        Err(StartError::Refused(error @ Error::MemoryLimitExceeded { limit: 100_000 })) => {
            assert!(error.to_string().contains("runs.memory_bytes"), "{error}");
        }
        other => panic!("there is no room: {other:?}"),
    }
    first.cancel();
    assert_eq!(first.response().await.expect("readable").status, Status::Canceled);
    drop(first);
    while runner.start(request(), RunOptions::default()).await.is_err() {
        yield_now().await;
    }
}

#[tokio::test]
async fn memory__run_that_writes_too_much__fails_with_what_it_wrote() {
    let mut limits = RunLimits::default();
    limits.memory_bytes = 200_000;
    let runner = Runner::builder().agent("test", writer(10_000)).limits(limits).build().expect("one agent");
    let response = start(&runner, "").await.response().await.expect("readable");
    assert_eq!(response.error.expect("it failed").code, "MEMORY_LIMIT_EXCEEDED");
    let small = Runner::builder().agent("test", writer(10)).build().expect("one agent");
    assert_eq!(start(&small, "").await.response().await.expect("readable").status, Status::Completed);
}

#[tokio::test]
async fn unstored_output__more_than_all_runs_may_have__lets_agents_wait_for_the_store() {
    let store = Arc::new(FaultyStore::default());
    store.fail("append", Fault::Late);
    let mut services = Services::in_memory();
    services.runs = Arc::clone(&store) as _;
    let begun = Arc::new(AtomicUsize::new(0));
    let counted = {
        let begun = Arc::clone(&begun);
        agent_fn(move |run: RunHandle| {
            begun.fetch_add(1, Ordering::SeqCst);
            async move {
                run.say("hi");
                Ok(())
            }
        })
    };
    let mut limits = RunLimits::default();
    limits.unstored_bytes = 100_000;
    let runner = Runner::builder().agent("large", writer(1_000)).agent("small", counted);
    let runner = runner.services(services).limits(limits).build().expect("two agents");
    let large = start_with(&runner, "", RunOptions::default()).await;
    let mut request = AgentRequest::new(vec![Message::user("")]);
    request.model = Some("small".to_owned());
    let small = runner.start(request, RunOptions::default()).await.expect("it starts");
    for _ in 0..TURNS {
        yield_now().await;
    }
    assert_eq!(begun.load(Ordering::SeqCst), 0, "its agent waits");
    store.released.cancel();
    for run in [large, small] {
        assert_eq!(run.response().await.expect("readable").status, Status::Completed);
    }
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}
