//! Turns in a session: which run is in progress, which ones are queued, and which ones are handed to another as input.

use std::collections::BTreeSet;
use std::sync::Arc;

use agent_schemas::{Message, RunId, Status};

use super::owners::heartbeat;
use super::{
    batch, create, end, finish, finish_in_order, get, is_orphan, keyed, kind, listed, new_run, owner, queue,
    size, start, status, steer,
};
use crate::conformance::{at_once, session, user};
use crate::run::{Created, RunFilter, RunStore, SessionPolicy};

/// Contract 11: `Enqueue`.
pub async fn enqueued_runs_wait_in_order(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let mut queued = Vec::new();
    for ahead in 1..6 {
        queued.push(queue(&*store, SessionPolicy::Enqueue, ahead).await);
    }
    for id in &queued {
        assert_eq!(status(&*store, id).await, Status::Queued);
        assert!(!is_orphan(&*store, id).await);
    }
    start(&*store, "u", "other").await;
    start(&*store, "other", "s").await;
    finish_in_order(&*store, (&a, token), &queued.iter().collect::<Vec<_>>()).await;
    start(&*store, "u", "s").await;
}

/// Contract 11: the limit of the queue.
pub async fn full_queues_refuse(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let refused = async |bound, policy| {
        let (id, created) =
            create(&*store, new_run("u", "s").with_policy(policy).with_max_queued(bound)).await;
        assert_eq!(created, Created::QueueFull, "{policy:?}");
        assert_eq!(kind(store.get(&id).await), Ok(None), "it was not created");
    };
    let waiting = [SessionPolicy::Enqueue, SessionPolicy::Interrupt, SessionPolicy::Steer];
    for policy in waiting {
        refused(0, policy).await;
    }
    assert!(!get(&*store, &a).await.cancel_requested, "a rejected run interrupts nothing");
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let c = steer(&*store, &a).await;
    for policy in waiting {
        refused(2, policy).await;
    }
    let fits = new_run("u", "s").with_max_queued(3);
    let (d, created) = create(&*store, fits).await;
    assert_eq!(created, Created::Queued { ahead: 3 }, "inputs handed to another run count among them");
    finish_in_order(&*store, (&a, token), &[&c, &b, &d]).await;
}

/// Contract 11: the limit of the queue's size.
pub async fn queues_of_large_requests_refuse(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let large = |policy, bytes| {
        let mut run = new_run("u", "s").with_policy(policy).with_queued_bytes(bytes);
        Arc::make_mut(&mut run.record.request).input = vec![Message::user("x".repeat(10_000))];
        run
    };
    let (b, created) = create(&*store, large(SessionPolicy::Enqueue, 0)).await;
    assert_eq!(created, Created::Queued { ahead: 1 }, "one run may always wait");
    for policy in [SessionPolicy::Enqueue, SessionPolicy::Interrupt, SessionPolicy::Steer] {
        let (id, created) = create(&*store, large(policy, 20_000)).await;
        assert_eq!(created, Created::QueueFull, "{policy:?}");
        assert_eq!(kind(store.get(&id).await), Ok(None), "it was not created");
    }
    let (c, created) = create(&*store, large(SessionPolicy::Steer, 22_000)).await;
    assert_eq!(created, Created::Steered(a.clone()));
    let (_, created) = create(&*store, large(SessionPolicy::Enqueue, 30_000)).await;
    assert_eq!(created, Created::QueueFull, "inputs handed to another run count too");
    finish_in_order(&*store, (&a, token), &[&c, &b]).await;
}

/// Contract 11: `Reject`.
pub async fn rejected_runs_are_not_made(store: Arc<dyn RunStore>) {
    let reject = || new_run("u", "s").with_policy(SessionPolicy::Reject);
    let (a, created) = create(&*store, reject()).await;
    let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let (id, created) = create(&*store, reject().with_key(keyed("k", "f"))).await;
    assert_eq!(created, Created::Busy(a.clone()));
    assert_eq!(kind(store.get(&id).await), Ok(None));
    let ended = end(&*store, (&a, token), batch(0, 1), Status::Completed, None).await;
    assert_eq!(ended, Ok(None));
    let (_, created) = create(&*store, reject().with_key(keyed("k", "f"))).await;
    assert_eq!(created, Created::Busy(b.clone()), "the first queued run is in progress");
    heartbeat(&*store, &owner("owner")).await;
    let token = store.take_over(&b, &owner("owner")).await.expect("asked").expect("an orphan");
    assert_eq!(finish(&*store, &b, token).await, None);
    let (_, created) = create(&*store, reject().with_key(keyed("k", "f"))).await;
    assert!(matches!(created, Created::Started(_)), "a rejected run keeps no key: {created:?}");
}

/// Contract 11: `Interrupt`.
pub async fn interrupting_runs_go_first(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let c = queue(&*store, SessionPolicy::Interrupt, 1).await;
    let d = queue(&*store, SessionPolicy::Interrupt, 1).await;
    let e = queue(&*store, SessionPolicy::Enqueue, 4).await;
    assert!(get(&*store, &a).await.cancel_requested);
    for id in [&b, &c, &d, &e] {
        assert!(!get(&*store, id).await.cancel_requested, "only the run in progress is asked to stop");
    }
    finish_in_order(&*store, (&a, token), &[&d, &c, &b, &e]).await;
    let (_, created) = create(&*store, new_run("u", "s").with_policy(SessionPolicy::Interrupt)).await;
    assert!(matches!(created, Created::Started(_)), "there is nothing to interrupt: {created:?}");
}

/// Contract 11: `Concurrent`.
pub async fn beside_takes_no_turn(store: Arc<dyn RunStore>) {
    let beside = async || {
        let run = new_run("u", "s").with_policy(SessionPolicy::Concurrent).with_max_queued(0);
        let (id, created) = create(&*store, run).await;
        let Created::Started(token) = created else { panic!("it waits for nothing: {created:?}") };
        (id, token)
    };
    let before = beside().await;
    let (a, token) = start(&*store, "u", "s").await;
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let during = beside().await;
    for (id, token) in [before, during] {
        assert_eq!(finish(&*store, &id, token).await, None, "it has no session to hand on");
        assert_eq!(
            (status(&*store, &a).await, status(&*store, &b).await),
            (Status::InProgress, Status::Queued)
        );
    }
    finish_in_order(&*store, (&a, token), &[&b]).await;
}

/// Contract 12 and 6: the same answer to a repetition.
pub async fn finish_hands_on(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let c = queue(&*store, SessionPolicy::Enqueue, 2).await;
    let next = owner("next");
    let ended = || end(&*store, (&a, token), batch(0, 1), Status::Completed, Some(&next));
    let grant = ended().await.expect("finished").expect("handed on");
    assert_eq!(grant.id, b);
    let record = get(&*store, &b).await;
    assert_eq!((record.status, record.epochs), (Status::InProgress, vec![]), "no epoch is over");
    assert_eq!(status(&*store, &c).await, Status::Queued);
    assert_eq!(ended().await, Ok(Some(grant.clone())));
    finish_in_order(&*store, (&b, grant.token), &[&c]).await;
    assert_eq!(ended().await, Ok(Some(grant)), "even when that one has ended");
}

/// Contract 12 and 18: without `next` the queue waits, and its head is an orphan.
pub async fn without_next_the_queue_waits(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let c = queue(&*store, SessionPolicy::Enqueue, 2).await;
    heartbeat(&*store, &owner("other")).await;
    for id in [&b, &c] {
        assert_eq!(kind(store.take_over(id, &owner("other")).await), Ok(None), "it has to wait");
    }
    let ended = || end(&*store, (&a, token), batch(0, 1), Status::Completed, None);
    assert_eq!(ended().await, Ok(None));
    assert_eq!(ended().await, Ok(None));
    assert_eq!(status(&*store, &b).await, Status::Queued);
    assert_eq!(kind(store.orphans(size(1000)).await), Ok(vec![b.clone()]));
    let d = queue(&*store, SessionPolicy::Enqueue, 2).await;
    assert_eq!(kind(store.take_over(&c, &owner("other")).await), Ok(None), "another one is before it");
    let token = store.take_over(&b, &owner("other")).await.expect("asked").expect("an orphan");
    let record = get(&*store, &b).await;
    assert_eq!((record.status, record.epochs), (Status::InProgress, vec![]), "its first epoch begins");
    finish_in_order(&*store, (&b, token), &[&c, &d]).await;
}

async fn steered(store: &dyn RunStore, id: &RunId) -> Vec<RunId> {
    store.steered(id).await.expect("readable").into_iter().map(|record| record.id).collect()
}

/// Contract 13.
pub async fn steered_runs_are_handed_over(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let waiting = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let mut handed = Vec::new();
    for _ in 0..5 {
        handed.push(steer(&*store, &a).await);
    }
    assert_eq!(steered(&*store, &a).await, handed);
    assert_eq!(steered(&*store, &waiting).await, []);
    assert_eq!(steered(&*store, &new_run("u", "s").record.id).await, []);
    let taken = [handed[0].clone(), handed[2].clone()];
    for _ in 0..2 {
        store.drop_steered(&a, token, &taken).await.expect("dropping can be repeated");
    }
    for id in &taken {
        assert_eq!(kind(store.get(id).await), Ok(None));
    }
    let foreign = [waiting.clone(), a.clone()];
    store.drop_steered(&a, token, &foreign).await.expect("these were not handed to it, so nothing happens");
    assert_eq!(steered(&*store, &a).await, [handed[1].clone(), handed[3].clone(), handed[4].clone()]);
    finish_in_order(&*store, (&a, token), &[&handed[1], &handed[3], &handed[4], &waiting]).await;
    assert_eq!(steered(&*store, &handed[1]).await, [], "they wait like others now");
}

/// Contract 13: nothing is in progress.
pub async fn steering_nothing_starts_or_waits(store: Arc<dyn RunStore>) {
    let (a, created) = create(&*store, new_run("u", "s").with_policy(SessionPolicy::Steer)).await;
    let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
    let b = steer(&*store, &a).await;
    let ended = end(&*store, (&a, token), batch(0, 1), Status::Completed, None).await;
    assert_eq!(ended, Ok(None));
    let c = queue(&*store, SessionPolicy::Steer, 1).await;
    heartbeat(&*store, &owner("owner")).await;
    let token = store.take_over(&b, &owner("owner")).await.expect("asked").expect("an orphan");
    finish_in_order(&*store, (&b, token), &[&c]).await;
}

/// Contract 11 and 12, with many at once.
pub async fn many_creators_take_turns(store: Arc<dyn RunStore>) {
    let made = at_once((0..30).map(|_| {
        let store = Arc::clone(&store);
        async move { create(&*store, new_run("u", "s").with_max_queued(29)).await }
    }))
    .await;
    let mut order = vec![None; 30];
    let mut started = None;
    for (id, created) in made {
        let place = match created {
            Created::Started(token) => {
                assert!(started.is_none(), "one is in progress at a time");
                started = Some((id.clone(), token));
                0
            }
            Created::Queued { ahead } => usize::try_from(ahead).expect("a place"),
            other => panic!("there is room for all: {other:?}"),
        };
        assert!(order[place].replace(id).is_none(), "place {place} is unique");
    }
    let (mut id, mut token) = started.expect("one has the session");
    let filter = RunFilter { session: Some(session("s")), status: Some(Status::InProgress) };
    let mut numbers = BTreeSet::new();
    for expected in 1..=30 {
        assert_eq!(listed(&*store, "u", &filter, 10).await, [id.clone()], "one at a time");
        assert!(numbers.insert(get(&*store, &id).await.number));
        let grant = finish(&*store, &id, token).await;
        assert_eq!(grant.as_ref().map(|grant| &grant.id), order.get(expected).and_then(Option::as_ref));
        if let Some(grant) = grant {
            (id, token) = (grant.id, grant.token);
        }
    }
    assert_eq!(store.list(&user("u"), &filter, None, size(10)).await.expect("listed").items, []);
}
