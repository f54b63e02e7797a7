//! When readers see an agent's output.

use std::sync::Arc;

use agent_runner::{Agent, Durability, Run, RunHandle, RunOptions, Runner, Services, agent_fn};
use agent_schemas::Event;
use agent_services::run::RunStore;
use futures_util::poll;
use tokio::sync::Semaphore;
use tokio::task::yield_now;

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{collect, outline, start_with};

/// The number of words that the agent writes, more than a tail keeps of stored entries.
const WORDS: usize = 50;

/// Writes words one by one, and ends once it is released.
fn talking(gate: Arc<Semaphore>) -> impl Agent {
    agent_fn(move |run: RunHandle| {
        let gate = Arc::clone(&gate);
        async move {
            let message = run.message();
            let mut content = message.text();
            for word in 0..WORDS {
                content.delta(&format!("{word} "));
                yield_now().await;
            }
            gate.acquire().await?.forget();
            Ok(())
        }
    })
}

struct World {
    store: Arc<FaultyStore>,
    gate: Arc<Semaphore>,
    runner: Runner,
    options: RunOptions,
}

fn world(durability: Durability) -> World {
    let store = Arc::new(FaultyStore::default());
    store.fail("append", Fault::Late);
    let gate = Arc::new(Semaphore::new(0));
    let mut services = Services::in_memory();
    services.runs = Arc::clone(&store) as _;
    let builder = Runner::builder().agent("talking", talking(Arc::clone(&gate)));
    let runner = builder.services(services).build().expect("one agent");
    World { store, gate, runner, options: RunOptions::default().with_durability(durability) }
}

/// Reads until the last word.
async fn words(run: &Run) -> Vec<Event> {
    let (mut cursor, mut events) = (run.cursor(0), Vec::new());
    let last = format!("'{} '", WORDS - 1);
    while !outline(&events).iter().any(|line| line.contains(&last)) {
        events.extend(cursor.next_events().await.expect("more").expect("readable"));
    }
    events
}

#[tokio::test]
async fn relaxed__events__are_readable_before_stored() {
    let world = world(Durability::Relaxed);
    let run = start_with(&world.runner, "", world.options.clone()).await;
    let seen = words(&run).await;
    let record = world.store.get(run.id()).await.expect("readable").expect("there");
    assert_eq!(record.entries, 1, "only the beginning is stored");
    assert_eq!(words(&run).await.len(), seen.len(), "later readers see as much");
    world.gate.add_permits(1);
    world.store.released.cancel();
    let whole = collect(run.cursor(0)).await;
    assert_eq!(whole[..seen.len()], seen);
    let id = run.id().clone();
    drop(run);
    let log = world.store.read(&id, 0, usize::MAX).await.expect("readable").expect("there");
    assert!(log.is_end);
    let entries: u64 = log.batches.iter().map(|batch| batch.count).sum();
    assert_eq!(entries, whole.len() as u64, "all of it is stored at the end");
}

#[tokio::test]
async fn strict__events__are_readable_once_stored() {
    let world = world(Durability::Strict);
    let run = start_with(&world.runner, "", world.options.clone()).await;
    let mut cursor = run.cursor(0);
    assert_eq!(outline(&cursor.next_events().await.expect("one").expect("readable")), ["response created"]);
    let mut next = Box::pin(cursor.next_events());
    for _ in 0..2 * WORDS {
        assert!(poll!(next.as_mut()).is_pending(), "nothing else is stored");
        yield_now().await;
    }
    world.store.released.cancel();
    drop(next);
    assert!(words(&run).await.len() > WORDS);
    world.gate.add_permits(1);
    collect(run.cursor(0)).await;
}
