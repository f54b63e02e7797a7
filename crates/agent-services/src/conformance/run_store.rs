//! The contract of [`RunStore`], line by line.
//!
//! A broken promise panics, as a test's assertion does.
#![expect(clippy::missing_panics_doc, reason = "panicking is how these functions report")]

use std::sync::Arc;

use agent_schemas::{AgentRequest, RunId, SessionId, Status, UserId, sse};

use crate::ErrorKind;
use crate::clock::SystemIds;
use crate::page::PageSize;
use crate::run::{
    Batch, Canceled, Created, FencingToken, IdempotencyKey, NewRun, OwnerId, RunFilter, RunRecord, RunStore,
    SessionPolicy, fresh_id,
};

/// Makes one test a line of the contract for the store that an async expression gives.
#[macro_export]
macro_rules! run_store_conformance {
    ($make:expr) => {
        $crate::conformance_tests!(run_store, $make;
            create_is_exclusive append_keeps_order repeated_append_is_acknowledged overlaps_and_gaps_conflict
            stale_tokens_conflict finish_ends_the_log read_from_any_position absence_is_not_an_error
            delete_forgets_what_has_ended close_keeps_how_it_ends a_session_has_one_run_at_a_time
            a_full_or_busy_session_refuses an_interruption_goes_first what_is_handed_over_is_taken_or_waits
            repeated_requests_are_one cancel_ends_what_waits signals_and_waits_resolve
            what_nobody_executes_is_taken_over_once lists_are_stable attendance_is_kept
            hostile_ids_never_meet);
    };
}

fn user() -> UserId {
    UserId::new("user")
}

fn owner() -> OwnerId {
    OwnerId::new("owner")
}

/// A run of a session, with its first entry.
fn new(session: &str) -> NewRun {
    let request = Arc::new(AgentRequest::new(Vec::new()));
    let id = fresh_id(&SystemIds, &user());
    let record = RunRecord::new(id, user(), SessionId::new(session), "agent", 7, request);
    NewRun::new(record, batch(0, 1), owner())
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

/// Makes a run that can start at once.
async fn started(store: &dyn RunStore, run: &NewRun) -> FencingToken {
    match store.create(run.clone()).await.expect("a new run is created") {
        Created::Started(token) => token,
        other => panic!("{other:?}"),
    }
}

async fn created(store: &dyn RunStore) -> (RunId, FencingToken) {
    let run = new("session");
    let token = started(store, &run).await;
    (run.record.id, token)
}

async fn append(
    store: &dyn RunStore,
    id: &RunId,
    token: FencingToken,
    batch: Batch,
) -> Result<(), ErrorKind> {
    store.append(id, token, batch).await.map_err(|error| error.kind())
}

/// Ends a run that has one entry; gives the run that is next.
async fn end(store: &dyn RunStore, id: &RunId, token: FencingToken) -> Option<crate::run::Grant> {
    store.finish(id, token, batch(1, 1), Status::Completed, Some(&owner())).await.expect("finished")
}

async fn status(store: &dyn RunStore, id: &RunId) -> Status {
    store.get(id).await.expect("readable").expect("there").status
}

/// The numbers of the entries from `from` on, read to the end, and whether the log has ended.
async fn read_all(store: &dyn RunStore, id: &RunId, mut from: u64, max_bytes: usize) -> (Vec<String>, bool) {
    let mut numbers = Vec::new();
    loop {
        let page = store.read(id, from, max_bytes).await.expect("readable").expect("there");
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
pub async fn create_is_exclusive(store: Arc<dyn RunStore>) {
    let run = new("session");
    started(&*store, &run).await;
    let mut other = new("other");
    other.record.id = run.record.id.clone();
    let second = store.create(other).await.map_err(|error| error.kind());
    assert_eq!(second, Err(ErrorKind::AlreadyExists));
    assert_eq!(read_all(&*store, &run.record.id, 0, 1000).await, (numbers(0..1), false));
}

/// Contract 2.
pub async fn append_keeps_order(store: Arc<dyn RunStore>) {
    let (id, token) = created(&*store).await;
    for (first, count) in [(1, 2), (3, 1), (4, 20)] {
        assert_eq!(append(&*store, &id, token, batch(first, count)).await, Ok(()));
    }
    assert_eq!(read_all(&*store, &id, 0, 1_000_000).await, (numbers(0..24), false));
    assert_eq!(store.get(&id).await.expect("readable").expect("there").entries, 24);
}

/// Contract 3.
pub async fn repeated_append_is_acknowledged(store: Arc<dyn RunStore>) {
    let (id, token) = created(&*store).await;
    for (first, count) in [(1, 2), (1, 2), (3, 2), (3, 2), (1, 2)] {
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
    let (id, token) = created(&*store).await;
    assert_eq!(append(&*store, &id, token, batch(1, 2)).await, Ok(()));
    let mut other = batch(1, 2);
    other.frames = batch(2, 2).frames;
    for wrong in [batch(2, 2), batch(4, 1), other] {
        assert_eq!(append(&*store, &id, token, wrong).await, Err(ErrorKind::Conflict));
    }
    assert_eq!(read_all(&*store, &id, 0, 1_000_000).await, (numbers(0..3), false));
}

/// Contract 5.
pub async fn stale_tokens_conflict(store: Arc<dyn RunStore>) {
    let (id, token) = created(&*store).await;
    let stale = FencingToken(token.0.wrapping_sub(1));
    assert_eq!(append(&*store, &id, stale, batch(1, 1)).await, Err(ErrorKind::Conflict));
    let finished = store.finish(&id, stale, batch(1, 1), Status::Completed, None).await;
    assert_eq!(finished.map_err(|error| error.kind()), Err(ErrorKind::Conflict));
    assert_eq!(read_all(&*store, &id, 0, 1000).await, (numbers(0..1), false));
}

/// Contract 6.
pub async fn finish_ends_the_log(store: Arc<dyn RunStore>) {
    let (id, token) = created(&*store).await;
    assert_eq!(append(&*store, &id, token, batch(1, 1)).await, Ok(()));
    for _ in 0..2 {
        let next = store.finish(&id, token, batch(2, 1), Status::Failed, None).await;
        assert_eq!(next.expect("finishing can be repeated"), None);
    }
    assert_eq!(append(&*store, &id, token, batch(3, 1)).await, Err(ErrorKind::Conflict));
    assert_eq!(read_all(&*store, &id, 0, 1000).await, (numbers(0..3), true));
    assert_eq!(status(&*store, &id).await, Status::Failed);
}

/// Contract 7.
pub async fn read_from_any_position(store: Arc<dyn RunStore>) {
    let (id, token) = created(&*store).await;
    assert_eq!(append(&*store, &id, token, batch(1, 4)).await, Ok(()));
    assert_eq!(append(&*store, &id, token, batch(5, 5)).await, Ok(()));
    store.finish(&id, token, batch(10, 2), Status::Completed, None).await.expect("finished");
    for max_bytes in [1, 50, 1_000_000] {
        for from in 0..12 {
            let found = read_all(&*store, &id, from, max_bytes).await;
            assert_eq!(found, (numbers(from..12), true), "from {from}");
        }
    }
    let past = store.read(&id, 12, 1000).await.expect("readable").expect("there");
    assert!(past.batches.is_empty() && past.is_end);
}

/// Contract 8.
pub async fn absence_is_not_an_error(store: Arc<dyn RunStore>) {
    let run = new("session");
    let id = &run.record.id;
    assert!(store.get(id).await.expect("readable").is_none());
    assert!(store.read(id, 0, 1000).await.expect("readable").is_none());
    assert_eq!(store.cancel(id, &owner()).await.expect("asked"), None);
    assert_eq!(store.take_over(id, &owner()).await.expect("asked"), None);
    assert_eq!(append(&*store, id, FencingToken(1), batch(0, 1)).await, Err(ErrorKind::NotFound));
    started(&*store, &run).await;
    let record = store.get(id).await.expect("readable").expect("there");
    assert_eq!((record.status, record.created_at), (Status::InProgress, 7));
    assert_eq!(
        (record.user_id, record.session_id, record.agent),
        (user(), run.record.session_id, "agent".into())
    );
}

/// Contract 9.
pub async fn delete_forgets_what_has_ended(store: Arc<dyn RunStore>) {
    let (id, token) = created(&*store).await;
    let refused = store.delete(&id).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::Conflict));
    end(&*store, &id, token).await;
    assert!(store.delete(&id).await.expect("deletable"));
    assert!(!store.delete(&id).await.expect("deletable"));
    assert!(store.get(&id).await.expect("readable").is_none());
}

/// Contract 10.
pub async fn close_keeps_how_it_ends(store: Arc<dyn RunStore>) {
    let (id, token) = created(&*store).await;
    for _ in 0..2 {
        store.close(&id, token, batch(1, 2), "the end").await.expect("closing can be repeated");
    }
    let record = store.get(&id).await.expect("readable").expect("there");
    assert_eq!((record.ending.as_deref(), record.entries), (Some("the end"), 3));
    assert_eq!(record.status, Status::InProgress);
    store.finish(&id, token, batch(3, 1), Status::Completed, None).await.expect("finished");
}

/// Contracts 11 and 12.
pub async fn a_session_has_one_run_at_a_time(store: Arc<dyn RunStore>) {
    let runs: Vec<NewRun> = (0..5).map(|_| new("session").with_max_queued(10)).collect();
    let mut token = started(&*store, &runs[0]).await;
    for (ahead, run) in (1..).zip(&runs[1..]) {
        assert_eq!(store.create(run.clone()).await.expect("created"), Created::Queued { ahead });
        assert_eq!(status(&*store, &run.record.id).await, Status::Queued);
    }
    started(&*store, &new("another")).await;
    started(&*store, &new("session").with_policy(SessionPolicy::Beside)).await;
    for pair in runs.windows(2) {
        let next = end(&*store, &pair[0].record.id, token).await.expect("somebody waits");
        assert_eq!(next.id, pair[1].record.id);
        let again = end(&*store, &pair[0].record.id, token).await;
        assert_eq!(again.as_ref(), Some(&next), "a repetition has the same answer");
        assert_eq!(status(&*store, &next.id).await, Status::InProgress);
        token = next.token;
    }
    assert_eq!(end(&*store, &runs[4].record.id, token).await, None);
    started(&*store, &new("session")).await;
}

/// Contract 11.
pub async fn a_full_or_busy_session_refuses(store: Arc<dyn RunStore>) {
    let first = new("session");
    let token = started(&*store, &first).await;
    let busy = store.create(new("session").with_policy(SessionPolicy::Reject)).await.expect("asked");
    assert_eq!(busy, Created::Busy(first.record.id.clone()));
    let waiting = new("session").with_max_queued(1);
    assert_eq!(store.create(waiting.clone()).await.expect("made"), Created::Queued { ahead: 1 });
    for policy in [SessionPolicy::Enqueue, SessionPolicy::Interrupt, SessionPolicy::Steer] {
        let full = store.create(new("session").with_max_queued(1).with_policy(policy)).await.expect("asked");
        assert_eq!(full, Created::QueueFull, "{policy:?}");
    }
    let record = store.get(&first.record.id).await.expect("readable").expect("there");
    assert!(!record.cancel_requested, "nothing is stopped for one that is not made");
    let next = end(&*store, &first.record.id, token).await.expect("one waits");
    end(&*store, &next.id, next.token).await;
    started(&*store, &new("session").with_policy(SessionPolicy::Reject)).await;
}

/// Contract 11.
pub async fn an_interruption_goes_first(store: Arc<dyn RunStore>) {
    let first = new("session");
    let token = started(&*store, &first).await;
    store.create(new("session")).await.expect("made");
    let urgent = new("session").with_policy(SessionPolicy::Interrupt);
    assert_eq!(store.create(urgent.clone()).await.expect("made"), Created::Queued { ahead: 1 });
    let record = store.get(&first.record.id).await.expect("readable").expect("there");
    assert!(record.cancel_requested);
    assert_eq!(store.signals(&owner()).await.expect("told"), [first.record.id.clone()]);
    let next = end(&*store, &first.record.id, token).await.expect("they wait");
    assert_eq!(next.id, urgent.record.id);
}

/// Contract 13.
pub async fn what_is_handed_over_is_taken_or_waits(store: Arc<dyn RunStore>) {
    let first = new("session").with_policy(SessionPolicy::Steer);
    let token = started(&*store, &first).await;
    let id = &first.record.id;
    store.create(new("session")).await.expect("made");
    let handed: Vec<NewRun> = (0..3).map(|_| new("session").with_policy(SessionPolicy::Steer)).collect();
    for run in &handed {
        assert_eq!(store.create(run.clone()).await.expect("made"), Created::Steered(id.clone()));
    }
    let listed = store.steered(id).await.expect("readable");
    let ids = |runs: &[NewRun]| runs.iter().map(|run| run.record.id.clone()).collect::<Vec<_>>();
    assert_eq!(listed.iter().map(|record| record.id.clone()).collect::<Vec<_>>(), ids(&handed));
    store.drop_steered(id, token, &ids(&handed[..1])).await.expect("dropped");
    assert!(store.get(&handed[0].record.id).await.expect("readable").is_none());
    assert_eq!(store.steered(id).await.expect("readable").len(), 2);
    let second = end(&*store, id, token).await.expect("they wait");
    assert_eq!(second.id, handed[1].record.id);
    let third = end(&*store, &second.id, second.token).await.expect("they wait");
    assert_eq!(third.id, handed[2].record.id);
    assert!(end(&*store, &third.id, third.token).await.is_some(), "the one that waited before");
}

/// Contract 14.
pub async fn repeated_requests_are_one(store: Arc<dyn RunStore>) {
    let key = |fingerprint: &str| Some(IdempotencyKey { key: "k".into(), fingerprint: fingerprint.into() });
    let creates = (0..50).map(|_| {
        let (store, run) = (Arc::clone(&store), new("session").with_key(key("same")));
        async move { (run.record.id.clone(), store.create(run).await.expect("asked")) }
    });
    let answers = super::at_once(creates).await;
    let made: Vec<_> = answers.iter().filter(|(_, created)| matches!(created, Created::Started(_))).collect();
    assert_eq!(made.len(), 1);
    let (id, Created::Started(token)) = made[0] else { unreachable!("it was filtered") };
    let repeated = answers.iter().filter(|(_, created)| *created == Created::Repeated(id.clone()));
    assert_eq!(repeated.count(), 49);
    let other = store.create(new("session").with_key(key("other"))).await.expect("asked");
    assert_eq!(other, Created::KeyReused);
    end(&*store, id, *token).await;
    let after = store.create(new("session").with_key(key("same"))).await.expect("asked");
    assert_eq!(after, Created::Repeated(id.clone()), "it is kept as long as the run");
    store.delete(id).await.expect("deleted");
    started(&*store, &new("session").with_key(key("other"))).await;
}

/// Contract 15.
pub async fn cancel_ends_what_waits(store: Arc<dyn RunStore>) {
    let runs: Vec<NewRun> = (0..3).map(|_| new("session")).collect();
    let token = started(&*store, &runs[0]).await;
    for run in &runs[1..] {
        store.create(run.clone()).await.expect("made");
    }
    let second = &runs[1].record.id;
    let Some(Canceled::Dequeued(right)) = store.cancel(second, &owner()).await.expect("asked") else {
        panic!("it waited");
    };
    assert_eq!(end(&*store, second, right).await, None, "it had no turn to hand on");
    assert_eq!(store.cancel(second, &owner()).await.expect("asked"), Some(Canceled::Ended));
    let first = &runs[0].record.id;
    assert_eq!(store.cancel(first, &owner()).await.expect("asked"), Some(Canceled::Requested));
    assert!(store.get(first).await.expect("readable").expect("there").cancel_requested);
    let next = end(&*store, first, token).await.expect("one waits");
    assert_eq!(next.id, runs[2].record.id);
}

/// Contracts 16 and 17.
pub async fn signals_and_waits_resolve(store: Arc<dyn RunStore>) {
    let (id, token) = created(&*store).await;
    store.wait(&id, 0).await.expect("it is there");
    let waiter = |from: u64| {
        let (store, id) = (Arc::clone(&store), id.clone());
        async move {
            loop {
                let page = store.read(&id, from, 1000).await.expect("readable").expect("there");
                if page.is_end || !page.batches.is_empty() {
                    return;
                }
                store.wait(&id, from).await.expect("waited");
            }
        }
    };
    let writer = async {
        append(&*store, &id, token, batch(1, 1)).await.expect("appended");
        store.finish(&id, token, batch(2, 1), Status::Completed, None).await.expect("finished");
    };
    let waiters = super::at_once([waiter(1), waiter(2), waiter(99)]);
    tokio::join!(writer, waiters);
    let (id, _) = created(&*store).await;
    let told = async { while !store.signals(&owner()).await.expect("told").contains(&id) {} };
    let ask = async { store.cancel(&id, &owner()).await.expect("asked") };
    tokio::join!(told, ask);
}

/// Contracts 18 and 19.
pub async fn what_nobody_executes_is_taken_over_once(store: Arc<dyn RunStore>) {
    let lease = std::time::Duration::from_secs(600);
    store.heartbeat(&owner(), lease).await.expect("heard");
    let (id, token) = created(&*store).await;
    let waiting = new("session");
    store.create(waiting.clone()).await.expect("made");
    let orphans = async || store.orphans(PageSize::default()).await.expect("listed");
    assert_eq!(orphans().await, []);
    let other = OwnerId::new("other");
    assert_eq!(store.take_over(&id, &other).await.expect("asked"), None, "its owner lives");
    store.retire(&owner()).await.expect("heard");
    store.heartbeat(&other, lease).await.expect("heard");
    assert_eq!(orphans().await, [id.clone()]);
    let attempts = (0..20).map(|number| {
        let (store, id, owner) = (Arc::clone(&store), id.clone(), OwnerId::new(format!("o{number}")));
        async move {
            store.heartbeat(&owner, lease).await.expect("heard");
            store.take_over(&id, &owner).await.expect("asked")
        }
    });
    let taken: Vec<FencingToken> = super::at_once(attempts).await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 1);
    assert!(taken[0] > token);
    assert_eq!(append(&*store, &id, token, batch(1, 1)).await, Err(ErrorKind::Conflict));
    assert_eq!(store.get(&id).await.expect("readable").expect("there").epochs, [1]);
    let ended = store.finish(&id, taken[0], batch(1, 1), Status::Incomplete, None).await.expect("finished");
    assert_eq!(ended, None, "nobody takes the next one");
    assert_eq!(status(&*store, &waiting.record.id).await, Status::Queued);
    assert_eq!(orphans().await, [waiting.record.id.clone()]);
    let right = store.take_over(&waiting.record.id, &other).await.expect("asked").expect("its turn");
    assert_eq!(status(&*store, &waiting.record.id).await, Status::InProgress);
    assert_eq!(orphans().await, []);
    let again = store.take_over(&waiting.record.id, &other).await.expect("asked").expect("it is its own");
    assert!(again > right);
}

/// Contract 20.
pub async fn lists_are_stable(store: Arc<dyn RunStore>) {
    let mut runs = Vec::new();
    for number in 0..5 {
        let run = new(&format!("s{number}"));
        started(&*store, &run).await;
        runs.push(run.record.id);
    }
    let size = PageSize::new(2).expect("a size");
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&user(), &RunFilter::default(), after, size).await.expect("listed");
        found.extend(page.items.into_iter().map(|record| record.id));
        started(&*store, &new("late")).await;
        after = page.next;
        if after.is_none() {
            break;
        }
        let late = store.list(&user(), &RunFilter::default(), None, size).await.expect("listed");
        let late = &late.items[0].id;
        store.cancel(late, &owner()).await.expect("asked");
        end(&*store, late, FencingToken(1)).await;
    }
    runs.reverse();
    assert_eq!(found, runs);
    let mut filter = RunFilter::default();
    filter.session = Some(SessionId::new("s3"));
    let page = store.list(&user(), &filter, None, size).await.expect("listed");
    assert_eq!(page.items.iter().map(|record| &record.id).collect::<Vec<_>>(), [&runs[1]]);
    filter.status = Some(Status::Completed);
    assert_eq!(store.list(&user(), &filter, None, size).await.expect("listed").items.len(), 0);
    let nobody = store.list(&UserId::new("nobody"), &RunFilter::default(), None, size).await;
    assert_eq!(nobody.expect("listed").items.len(), 0);
}

/// Contract 21.
pub async fn attendance_is_kept(store: Arc<dyn RunStore>) {
    let (id, _) = created(&*store).await;
    assert!(store.attended(&id).await.expect("asked").is_zero());
    store.attend(&id, std::time::Duration::from_secs(600)).await.expect("heard");
    let left = store.attended(&id).await.expect("asked");
    assert!((1..=600).contains(&left.as_secs()), "{left:?}");
}

/// Contract 23.
pub async fn hostile_ids_never_meet(store: Arc<dyn RunStore>) {
    let ids = super::hostile_ids();
    let mut made = Vec::new();
    for user in &ids {
        for session in [&ids[0], &ids[1], &ids[4], user] {
            let (user, session) = (UserId::new(user.as_str()), SessionId::new(session.as_str()));
            let request = Arc::new(AgentRequest::new(Vec::new()));
            let id = fresh_id(&SystemIds, &user);
            let record = RunRecord::new(id.clone(), user, session, "agent", 7, request);
            let run = NewRun::new(record, batch(0, 1), owner()).with_policy(SessionPolicy::Reject);
            match store.create(run.clone()).await.expect("made") {
                Created::Started(_) => made.push(run.record),
                // The same pair came before.
                Created::Busy(known) => {
                    let known = made.iter().find(|record| record.id == known).expect("one that was made");
                    assert_eq!(
                        (&known.user_id, &known.session_id),
                        (&run.record.user_id, &run.record.session_id)
                    );
                }
                other => panic!("{other:?}"),
            }
        }
    }
    for record in &made {
        let found = store.get(&record.id).await.expect("readable").expect("there");
        assert_eq!((&found.user_id, &found.session_id), (&record.user_id, &record.session_id));
    }
    let mut long = new("session");
    long.record.session_id = SessionId::new("x".repeat(100_000));
    assert_eq!(store.create(long).await.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
}
