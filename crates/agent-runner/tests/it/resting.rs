//! Resting readers: output accumulates for them, but not for others.

use std::sync::Arc;

use agent_runner::{Cursor, Run, RunHandle, RunOptions, Runner, agent_fn};
use agent_schemas::{AgentRequest, Message, RunId};
use futures_util::{StreamExt, poll};
use tokio::sync::Semaphore;

use crate::support::runner;

/// A run that writes one more word whenever it is released.
async fn gated() -> (Runner, Run, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let agent = {
        let gate = Arc::clone(&gate);
        agent_fn(move |run: RunHandle| {
            let gate = Arc::clone(&gate);
            async move {
                let message = run.message();
                let mut text = message.text();
                loop {
                    text.delta("word ");
                    gate.acquire().await?.forget();
                }
            }
        })
    };
    let runner = runner(agent);
    let options = RunOptions::default();
    let run = runner.start(AgentRequest::new(vec![Message::user("")]), options).await.expect("started");
    (runner, run, gate)
}

/// The number of stored entries once everything is idle.
async fn stored(runner: &Runner, id: &RunId) -> u64 {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    runner.record(id).await.expect("readable").expect("there").entries
}

async fn read_to(cursor: &mut Cursor, position: u64) {
    while cursor.position() < position {
        cursor.next().await.expect("more").expect("readable");
    }
}

#[tokio::test(start_paused = true)]
async fn buffered_events__last_reader_leaves__are_stored() {
    let (runner, run, gate) = gated().await;
    let (id, mut cursor) = (run.id().clone(), run.cursor(0));
    drop(run);
    read_to(&mut cursor, 4).await;
    assert!(poll!(cursor.next()).is_pending(), "it rests");
    gate.add_permits(1);
    assert_eq!(stored(&runner, &id).await, 4, "it is waited for");
    drop(cursor);
    assert_eq!(stored(&runner, &id).await, 5);
}

#[tokio::test(start_paused = true)]
async fn idle_reader__dropped__delays_nothing() {
    let (runner, run, gate) = gated().await;
    let (id, mut cursor) = (run.id().clone(), run.cursor(0));
    drop(run);
    read_to(&mut cursor, 4).await;
    assert!(poll!(cursor.next()).is_pending(), "it rests");
    gate.add_permits(1);
    read_to(&mut cursor, 5).await;
    // Its client has stopped reading, so nobody polls it.
    gate.add_permits(1);
    assert_eq!(stored(&runner, &id).await, 6);
    drop(cursor);
}
