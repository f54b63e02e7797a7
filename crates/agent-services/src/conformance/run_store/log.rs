//! Logs are appended to, read, sealed, ended and deleted.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{AgentRequest, Json, Message, ProtocolData, RunId, RunOptions, Status, sse};

use super::{
    batch, create, end, finish, get, kind, new_run, owner, queue, start, status, steer, while_waiting,
};
use crate::ErrorKind;
use crate::conformance::{hostile_ids, lifecycle};
use crate::run::{Batch, Created, FencingToken, FinishRun, RunStore, SessionPolicy, Written};
use crate::session::MessageBatch;

async fn append(
    store: &dyn RunStore,
    id: &RunId,
    token: FencingToken,
    batch: Batch,
) -> Result<(), ErrorKind> {
    kind(store.append(id, token, batch).await.map(|_| ()))
}

/// The numbers of the entries from `from` on, read to the end, and whether the log has ended.
async fn read_all(store: &dyn RunStore, id: &RunId, mut from: u64, max_bytes: usize) -> (Vec<String>, bool) {
    let mut numbers = Vec::new();
    loop {
        let page = store.read(id, from, max_bytes).await.expect("readable").expect("there");
        let Some(last) = page.batches.last() else { return (numbers, page.is_end) };
        for batch in &page.batches {
            assert_eq!(batch.first, from, "a page starts where it was asked to, and has no gaps");
            from = batch.end();
            let entries: Vec<_> =
                sse::frames(&batch.frames).map(|json| String::from_utf8_lossy(json).into_owned()).collect();
            assert_eq!(entries.len() as u64, batch.count);
            numbers.extend(entries);
        }
        assert_eq!(last.end(), from);
        if page.is_end {
            return (numbers, true);
        }
    }
}

fn numbers(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// The contract of [`Service`](crate::Service), and that calls after the stop are rejected.
pub async fn runs_live_and_end(store: Arc<dyn RunStore>) {
    lifecycle::start_and_stop_can_be_repeated(&*store).await;
    lifecycle::health_follows_the_lifecycle(&*store).await;
    let run = new_run("u", "s");
    assert_eq!(kind(store.get(&run.record.id).await), Err(ErrorKind::Unavailable));
    assert_eq!(kind(store.create(run).await), Err(ErrorKind::Unavailable));
}

/// Contract 1.
pub async fn create_is_exclusive(store: Arc<dyn RunStore>) {
    let mut run = new_run("u", "s");
    run.first = batch(0, 2);
    run.record.options = RunOptions::default().without_history().with_cancel_after(Duration::from_secs(3));
    run.record.options.protocol = Some(ProtocolData::new("p", "{\"is\":\"kept\"}"));
    let (id, created) = create(&*store, run.clone()).await;
    assert!(matches!(created, Created::Started(_)));
    for policy in [SessionPolicy::Enqueue, SessionPolicy::Concurrent] {
        let again = store.create(run.clone().with_policy(policy)).await;
        assert_eq!(kind(again), Err(ErrorKind::AlreadyExists));
    }
    assert_eq!(read_all(&*store, &id, 0, 1000).await, (numbers(0..2), false));
    let record = get(&*store, &id).await;
    assert_eq!((record.entries, record.status, record.created_at), (2, Status::InProgress, 7));
    assert_eq!((record.user_id, record.session_id), (run.record.user_id, run.record.session_id));
    assert_eq!((record.agent, record.options), (run.record.agent, run.record.options));
    assert_eq!(record.request, run.record.request);
    let nothing = (record.ended_at, record.epochs, record.cancel_requested, record.ending);
    assert_eq!(nothing, (None, Vec::new(), false, None));
}

/// Contract 25.
pub async fn unreadable_requests_are_refused(store: Arc<dyn RunStore>) {
    let request = |change: fn(&mut AgentRequest)| {
        let mut run = new_run("u", "s");
        let mut request = AgentRequest::new(Vec::new());
        change(&mut request);
        run.record.request = Arc::new(request);
        run
    };
    let faults: [fn(&mut AgentRequest); 3] = [
        |request| drop(request.extra.insert("id".to_owned(), Json::from(5_i64))),
        |request| request.n = Some(9),
        |request| request.temperature = Some(f64::NAN),
    ];
    for fault in faults {
        assert_eq!(kind(store.create(request(fault)).await), Err(ErrorKind::InvalidInput));
    }
    let run = request(|request| {
        request.extra.insert("mine".to_owned(), Json::from(5_i64));
        request.foreign.get_or_insert_default().insert("id".to_owned(), Json::from(5_i64));
    });
    let (id, _) = create(&*store, run.clone()).await;
    let record = get(&*store, &id).await;
    assert_eq!((record.request, record.damage), (run.record.request, None));
}

/// Contract 2.
pub async fn append_keeps_order(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    for (first, count) in [(0, 3), (3, 1), (4, 20)] {
        assert_eq!(append(&*store, &id, token, batch(first, count)).await, Ok(()));
    }
    assert_eq!(read_all(&*store, &id, 0, 1_000_000).await, (numbers(0..24), false));
    assert_eq!(get(&*store, &id).await.entries, 24);
}

/// Contract 3.
pub async fn repeated_append_is_acknowledged(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    for (first, count) in [(0, 3), (0, 3), (3, 2), (3, 2), (0, 3)] {
        assert_eq!(append(&*store, &id, token, batch(first, count)).await, Ok(()), "{first}+{count}");
    }
    for first in 5..100 {
        assert_eq!(append(&*store, &id, token, batch(first, 1)).await, Ok(()), "{first}");
        assert_eq!(append(&*store, &id, token, batch(first / 2 + 3, 1)).await, Ok(()), "{first}");
    }
    assert_eq!(read_all(&*store, &id, 0, 1_000_000).await, (numbers(0..100), false));
}

/// Contract 4.
pub async fn overlaps_and_gaps_conflict(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    assert_eq!(append(&*store, &id, token, batch(0, 3)).await, Ok(()));
    let mut other = batch(0, 3);
    other.frames = batch(1, 3).frames;
    for wrong in [batch(2, 2), batch(4, 1), batch(0, 4), other] {
        assert_eq!(append(&*store, &id, token, wrong.clone()).await, Err(ErrorKind::Conflict));
        let closed = store.seal(&id, token, wrong.clone(), "ending", false).await;
        assert_eq!(kind(closed), Err(ErrorKind::Conflict));
        let finished = end(&*store, (&id, token), wrong, Status::Completed, None).await;
        assert_eq!(finished, Err(ErrorKind::Conflict));
    }
    assert_eq!(read_all(&*store, &id, 0, 1_000_000).await, (numbers(0..3), false));
    let record = get(&*store, &id).await;
    assert_eq!((record.status, record.ending), (Status::InProgress, None));
}

/// Contract 5.
pub async fn stale_tokens_conflict(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    let steered = steer(&*store, &id).await;
    for stale in [token.0.wrapping_sub(1), token.0 + 1].map(FencingToken) {
        assert_eq!(append(&*store, &id, stale, batch(0, 1)).await, Err(ErrorKind::Conflict));
        assert_eq!(kind(store.seal(&id, stale, batch(0, 1), "no", false).await), Err(ErrorKind::Conflict));
        let finished = end(&*store, (&id, stale), batch(0, 1), Status::Completed, None).await;
        assert_eq!(finished, Err(ErrorKind::Conflict));
        let dropped = store.drop_steered(&id, stale, std::slice::from_ref(&steered)).await;
        assert_eq!(kind(dropped), Err(ErrorKind::Conflict));
    }
    assert_eq!(read_all(&*store, &id, 0, 1000).await, (vec![], false));
    for none in [0, 1].map(FencingToken) {
        let refused = append(&*store, &steered, none, batch(0, 1)).await;
        assert_eq!(refused, Err(ErrorKind::Conflict), "a queued run has no owner");
    }
}

/// Contract 6.
pub async fn finish_ends_the_log(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    assert_eq!(append(&*store, &id, token, batch(0, 2)).await, Ok(()));
    for _ in 0..2 {
        let finished = end(&*store, (&id, token), batch(2, 1), Status::Failed, None).await;
        assert_eq!(finished, Ok(None), "finishing can be repeated");
    }
    assert_eq!(append(&*store, &id, token, batch(3, 1)).await, Err(ErrorKind::Conflict));
    assert_eq!(kind(store.seal(&id, token, batch(3, 1), "no", false).await), Err(ErrorKind::Conflict));
    let more = end(&*store, (&id, token), batch(3, 1), Status::Completed, None).await;
    assert_eq!(more, Err(ErrorKind::Conflict));
    assert_eq!(read_all(&*store, &id, 0, 1000).await, (numbers(0..3), true));
    let record = get(&*store, &id).await;
    assert_eq!((record.status, record.entries, record.ending), (Status::Failed, 3, None));
    assert!(record.ended_at.is_some());
}

/// Contract 6: also if no entry distinguishes a repetition from the first call.
pub async fn finish_repeats_without_entries(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    let waiting = queue(&*store, SessionPolicy::Enqueue, 1).await;
    assert_eq!(append(&*store, &id, token, batch(0, 2)).await, Ok(()));
    let next = owner("next");
    let ended = || end(&*store, (&id, token), Batch::empty(2), Status::Completed, Some(&next));
    let grant = ended().await.expect("finished").expect("handed on");
    assert_eq!(grant.id, waiting);
    assert_eq!(ended().await, Ok(Some(grant)));
    assert_eq!(read_all(&*store, &id, 0, 1000).await, (numbers(0..2), true));
}

/// Contract 23: only a store that names a database accepts a history, and one that rejects it changes nothing.
pub async fn history_needs_a_database(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    let ended = FinishRun::new(id.clone(), token, batch(0, 1), Status::Completed);
    let history = MessageBatch::of(&[Message::user("hello")]).expect("JSON");
    let finished =
        kind(store.finish(ended.with_history(Some(history))).await).map(|finished| finished.granted);
    if store.database().is_some() {
        assert_eq!(finished, Ok(None));
        assert_eq!(status(&*store, &id).await, Status::Completed);
    } else {
        assert_eq!(finished, Err(ErrorKind::InvalidInput));
        assert_eq!(status(&*store, &id).await, Status::InProgress);
        assert_eq!(read_all(&*store, &id, 0, 1000).await, (vec![], false));
        assert_eq!(finish(&*store, &id, token).await, None, "it ends without one");
    }
}

/// Contract 7.
pub async fn read_from_any_position(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    assert_eq!(append(&*store, &id, token, batch(0, 5)).await, Ok(()));
    assert_eq!(append(&*store, &id, token, batch(5, 5)).await, Ok(()));
    let page = store.read(&id, 10, 1000).await.expect("readable").expect("there");
    assert!(page.batches.is_empty() && !page.is_end);
    finish(&*store, &id, token).await;
    for max_bytes in [0, 1, 50, 1_000_000] {
        for from in 0..11 {
            let read = read_all(&*store, &id, from, max_bytes).await;
            assert_eq!(read, (numbers(from..11), true), "from {from}");
        }
    }
    for from in [11, 12, 1 << 40] {
        let past = store.read(&id, from, 1000).await.expect("readable").expect("there");
        assert!(past.batches.is_empty() && past.is_end);
    }
}

/// Contract 8.
pub async fn absence_is_not_an_error(store: Arc<dyn RunStore>) {
    let hostile = hostile_ids().into_iter().map(RunId::new);
    for id in hostile.chain([new_run("u", "s").record.id]) {
        assert_eq!(kind(store.get(&id).await), Ok(None));
        assert_eq!(kind(store.read(&id, 0, 1000).await), Ok(None));
        assert_eq!(kind(store.cancel(&id, Batch::empty(0)).await), Ok(None));
        assert_eq!(kind(store.take_over(&id, &owner("owner")).await), Ok(None));
        assert_eq!(kind(store.delete(&id).await), Ok(false));
        let token = FencingToken(1);
        let writes = [
            append(&*store, &id, token, batch(0, 1)).await,
            kind(store.seal(&id, token, batch(0, 1), "no", false).await),
            end(&*store, (&id, token), batch(0, 1), Status::Completed, None).await.map(drop),
            kind(store.drop_steered(&id, token, &[]).await),
            kind(store.touch_reader(&id, super::LONG).await),
        ];
        assert!(writes.iter().all(|write| *write == Err(ErrorKind::NotFound)), "{id}: {writes:?}");
    }
}

/// Contract 9.
pub async fn delete_forgets(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    let waiting = queue(&*store, SessionPolicy::Enqueue, 1).await;
    for unfinished in [&id, &waiting] {
        assert_eq!(kind(store.delete(unfinished).await), Err(ErrorKind::Conflict));
    }
    assert_eq!(status(&*store, &waiting).await, Status::Queued);
    assert_eq!(finish(&*store, &id, token).await.map(|grant| grant.id), Some(waiting.clone()));
    assert_eq!(kind(store.delete(&id).await), Ok(true));
    assert_eq!(kind(store.delete(&id).await), Ok(false));
    assert_eq!(kind(store.get(&id).await), Ok(None));
    assert_eq!(kind(store.read(&id, 0, 1000).await), Ok(None));
    let mut again = new_run("u", "other");
    again.record.id = id.clone();
    let (_, created) = create(&*store, again).await;
    assert!(matches!(created, Created::Started(_)), "its id is free");
    assert_eq!(read_all(&*store, &id, 0, 1000).await, (vec![], false));
    assert_eq!(status(&*store, &waiting).await, Status::InProgress);
}

/// Contract 10.
pub async fn seal_keeps_the_ending(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    assert_eq!(append(&*store, &id, token, batch(0, 2)).await, Ok(()));
    for _ in 0..2 {
        assert_eq!(kind(store.seal(&id, token, batch(2, 2), "so it ends", false).await), Ok(()));
    }
    assert_eq!(read_all(&*store, &id, 0, 1000).await, (numbers(0..4), false));
    let record = get(&*store, &id).await;
    assert_eq!((record.status, record.ending.as_deref()), (Status::InProgress, Some("so it ends")));
    finish(&*store, &id, token).await;
    let record = get(&*store, &id).await;
    assert_eq!((record.entries, record.ending.as_deref()), (5, Some("so it ends")));
    let (other, token) = start(&*store, "u", "s").await;
    for _ in 0..2 {
        assert_eq!(kind(store.seal(&other, token, Batch::empty(0), "", false).await), Ok(()));
    }
    assert_eq!(get(&*store, &other).await.ending.as_deref(), Some(""), "no entries are needed");
}

/// Waits until there is an entry `from`, the end, or no run.
async fn wait_for(store: &dyn RunStore, id: &RunId, from: u64) {
    loop {
        kind(store.wait(id, from).await).expect("waiting works");
        match store.read(id, from, 1).await.expect("readable") {
            Some(page) if page.batches.is_empty() && !page.is_end => {}
            _ => return,
        }
    }
}

/// Contract 16.
pub async fn wait_resolves(store: Arc<dyn RunStore>) {
    let (id, token) = start(&*store, "u", "s").await;
    for number in 0..50 {
        let appended = async {
            assert_eq!(kind(store.append(&id, token, batch(number, 1)).await), Ok(Written::new(false)))
        };
        while_waiting(wait_for(&*store, &id, number), appended).await;
    }
    wait_for(&*store, &id, 0).await;
    let sealed = async { store.seal(&id, token, batch(50, 1), "end", false).await.expect("sealed") };
    while_waiting(wait_for(&*store, &id, 50), sealed).await;
    let steered = steer(&*store, &id).await;
    let taken = [steered.clone()];
    let dropped = async { store.drop_steered(&id, token, &taken).await.expect("dropped") };
    while_waiting(wait_for(&*store, &steered, 0), dropped).await;
    let next = owner("next");
    let ended = async {
        end(&*store, (&id, token), Batch::empty(51), Status::Completed, Some(&next)).await.expect("ended");
    };
    while_waiting(wait_for(&*store, &id, 51), ended).await;
    wait_for(&*store, &id, 1 << 40).await;
    assert_eq!(kind(store.delete(&id).await), Ok(true));
    wait_for(&*store, &id, 0).await;
    wait_for(&*store, &new_run("u", "s").record.id, 0).await;
}

/// Contract 29: a chain of runs is read from its end, in as few steps as the store chooses.
pub async fn chains_are_read_from_their_end(store: Arc<dyn RunStore>) {
    let (mut previous, mut ids) = (None, Vec::new());
    // Runs of another user may be anywhere.
    for (number, u) in ["u", "v", "u", "u", "u"].into_iter().enumerate() {
        let mut run = new_run(u, &format!("s{number}"));
        run.record.options.continues = previous;
        run.first = batch(0, 2);
        let (id, created) = create(&*store, run).await;
        let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
        let unfinished = store.chain(&id, 1 << 20).await.expect("a store answers");
        assert!(
            unfinished.first().is_some_and(|run| run.record.id == id && run.last.is_none()),
            "{unfinished:?}"
        );
        finish(&*store, &id, token).await;
        previous = Some(id.clone());
        ids.insert(0, id);
    }
    for bytes in [1, 1 << 20] {
        let (mut next, mut found) = (previous.clone(), Vec::new());
        while let Some(id) = next {
            let page = store.chain(&id, bytes).await.expect("a store answers");
            assert!(!page.is_empty(), "the run itself is there");
            next = page.last().and_then(|run| run.record.options.continues.clone());
            for run in page {
                assert_eq!(run.last, Some(batch(2, 1)));
                found.push(run.record.id);
            }
        }
        assert_eq!(found, ids);
    }
    let missing = new_run("u", "s").record.id;
    assert_eq!(store.chain(&missing, 1).await.expect("a store answers").len(), 0);
}
