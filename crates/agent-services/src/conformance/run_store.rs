//! The contract of [`RunStore`], line by line.
//!
//! A broken promise panics, as a test's assertion does.
#![expect(clippy::missing_panics_doc, reason = "panicking is how these functions report")]

use std::sync::Arc;

use agent_schemas::{AgentRequest, RunId, SessionId, Status, UserId, sse};

use crate::ErrorKind;
use crate::run::{Batch, FencingToken, RunRecord, RunStore};

/// Makes one test a line of the contract for the store that an async expression gives.
#[macro_export]
macro_rules! run_store_conformance {
    ($make:expr) => {
        $crate::run_store_conformance!(@tests $make;
            create_is_exclusive append_keeps_order repeated_append_is_acknowledged overlaps_and_gaps_conflict
            stale_tokens_conflict finish_ends_the_log read_from_any_position absence_is_not_an_error
            delete_forgets);
    };
    (@tests $make:expr; $($name:ident)*) => {$(
        #[tokio::test]
        async fn $name() {
            let store = $make.await;
            $crate::conformance::run_store::$name(&store).await;
        }
    )*};
}

fn id() -> RunId {
    RunId::new("run_1")
}

fn record() -> RunRecord {
    let request = Arc::new(AgentRequest::new(Vec::new()));
    RunRecord::new(id(), UserId::new("user"), SessionId::new("session"), "agent", 7, request)
}

/// Entries `first..first + count`, each with its number as its JSON.
fn batch(first: u64, count: u64) -> Batch {
    let mut frames = Vec::new();
    for number in first..first + count {
        sse::start_frame(&mut frames, number);
        sse::write_number(&mut frames, number);
        sse::end_frame(&mut frames);
    }
    Batch { first, count, frames: frames.into() }
}

async fn created(store: &dyn RunStore) -> FencingToken {
    store.create(record()).await.expect("a new run is created")
}

async fn append(store: &dyn RunStore, token: FencingToken, batch: Batch) -> Result<(), ErrorKind> {
    store.append(&id(), token, batch).await.map_err(|error| error.kind())
}

/// The numbers of the entries from `from` on, read to the end, and whether the log has ended.
async fn read_all(store: &dyn RunStore, mut from: u64, max_bytes: usize) -> (Vec<String>, bool) {
    let mut numbers = Vec::new();
    loop {
        let page = store.read(&id(), from, max_bytes).await.expect("readable").expect("there");
        let Some(last) = page.batches.last() else { return (numbers, page.is_end) };
        assert_eq!(page.batches[0].first, from, "a page starts where it was asked to");
        from = last.end();
        for batch in &page.batches {
            let entries: Vec<_> =
                sse::frames(&batch.frames).map(|json| String::from_utf8_lossy(json).into_owned()).collect();
            assert_eq!(entries.len() as u64, batch.count);
            numbers.extend(entries);
        }
        if page.is_end {
            return (numbers, true);
        }
    }
}

fn numbers(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Contract 1.
pub async fn create_is_exclusive(store: &dyn RunStore) {
    created(store).await;
    let second = store.create(record()).await.map_err(|error| error.kind());
    assert_eq!(second, Err(ErrorKind::AlreadyExists));
    assert_eq!(read_all(store, 0, 1000).await, (vec![], false));
}

/// Contract 2.
pub async fn append_keeps_order(store: &dyn RunStore) {
    let token = created(store).await;
    for (first, count) in [(0, 3), (3, 1), (4, 20)] {
        assert_eq!(append(store, token, batch(first, count)).await, Ok(()));
    }
    assert_eq!(read_all(store, 0, 1_000_000).await, (numbers(0..24), false));
}

/// Contract 3.
pub async fn repeated_append_is_acknowledged(store: &dyn RunStore) {
    let token = created(store).await;
    for (first, count) in [(0, 3), (0, 3), (3, 2), (3, 2), (0, 3)] {
        assert_eq!(append(store, token, batch(first, count)).await, Ok(()), "{first}+{count}");
    }
    for first in 5..100 {
        assert_eq!(append(store, token, batch(first, 1)).await, Ok(()), "{first}");
        assert_eq!(append(store, token, batch(first / 2 + 3, 1)).await, Ok(()), "{first}");
    }
    assert_eq!(read_all(store, 0, 1_000_000).await, (numbers(0..100), false));
}

/// Contract 4.
pub async fn overlaps_and_gaps_conflict(store: &dyn RunStore) {
    let token = created(store).await;
    assert_eq!(append(store, token, batch(0, 3)).await, Ok(()));
    let mut other = batch(0, 3);
    other.frames = batch(1, 3).frames;
    for wrong in [batch(2, 2), batch(4, 1), other] {
        assert_eq!(append(store, token, wrong).await, Err(ErrorKind::Conflict));
    }
    assert_eq!(read_all(store, 0, 1_000_000).await, (numbers(0..3), false));
}

/// Contract 5.
pub async fn stale_tokens_conflict(store: &dyn RunStore) {
    let token = created(store).await;
    let stale = FencingToken(token.0.wrapping_sub(1));
    assert_eq!(append(store, stale, batch(0, 1)).await, Err(ErrorKind::Conflict));
    let finished = store.finish(&id(), stale, batch(0, 1), Status::Completed).await;
    assert_eq!(finished.map_err(|error| error.kind()), Err(ErrorKind::Conflict));
    assert_eq!(read_all(store, 0, 1000).await, (vec![], false));
}

/// Contract 6.
pub async fn finish_ends_the_log(store: &dyn RunStore) {
    let token = created(store).await;
    assert_eq!(append(store, token, batch(0, 2)).await, Ok(()));
    for _ in 0..2 {
        store.finish(&id(), token, batch(2, 1), Status::Failed).await.expect("finishing can be repeated");
    }
    assert_eq!(append(store, token, batch(3, 1)).await, Err(ErrorKind::Conflict));
    assert_eq!(read_all(store, 0, 1000).await, (numbers(0..3), true));
    let record = store.get(&id()).await.expect("readable").expect("there");
    assert_eq!(record.status, Status::Failed);
}

/// Contract 7.
pub async fn read_from_any_position(store: &dyn RunStore) {
    let token = created(store).await;
    assert_eq!(append(store, token, batch(0, 5)).await, Ok(()));
    assert_eq!(append(store, token, batch(5, 5)).await, Ok(()));
    store.finish(&id(), token, batch(10, 2), Status::Completed).await.expect("finished");
    for max_bytes in [1, 50, 1_000_000] {
        for from in 0..12 {
            assert_eq!(read_all(store, from, max_bytes).await, (numbers(from..12), true), "from {from}");
        }
    }
    let past = store.read(&id(), 12, 1000).await.expect("readable").expect("there");
    assert!(past.batches.is_empty() && past.is_end);
}

/// Contract 8.
pub async fn absence_is_not_an_error(store: &dyn RunStore) {
    assert!(store.get(&id()).await.expect("readable").is_none());
    assert!(store.read(&id(), 0, 1000).await.expect("readable").is_none());
    assert_eq!(append(store, FencingToken(1), batch(0, 1)).await, Err(ErrorKind::NotFound));
    created(store).await;
    let record = store.get(&id()).await.expect("readable").expect("there");
    assert_eq!((record.status, record.created_at), (Status::InProgress, 7));
}

/// Contract 9.
pub async fn delete_forgets(store: &dyn RunStore) {
    created(store).await;
    assert!(store.delete(&id()).await.expect("deletable"));
    assert!(!store.delete(&id()).await.expect("deletable"));
    assert!(store.get(&id()).await.expect("readable").is_none());
    created(store).await;
}
