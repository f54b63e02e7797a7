//! Owners: their signals, leases and takeovers.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{RunId, Status};

use super::{
    LONG, SHORT, batch, create, end, finish, finish_in_order, get, is_orphan, kind, new_run, owner, queue,
    size, start, status, steer, while_waiting,
};
use crate::ErrorKind;
use crate::conformance::at_once;
use crate::run::{Batch, Canceled, Created, FencingToken, OwnerId, RunStore, SessionPolicy};

pub(super) async fn heartbeat(store: &dyn RunStore, owner: &OwnerId) {
    store.heartbeat(owner, LONG).await.expect("renewed");
}

async fn take_over(store: &dyn RunStore, id: &RunId, owner: &OwnerId) -> Option<FencingToken> {
    store.take_over(id, owner).await.expect("asked")
}

/// Contract 15: a run in progress.
pub async fn cancel_asks_a_run_to_stop(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    for _ in 0..2 {
        assert_eq!(kind(store.cancel(&a, Batch::empty(0)).await), Ok(Some(Canceled::Requested)));
    }
    let record = get(&*store, &a).await;
    assert_eq!((record.status, record.cancel_requested), (Status::InProgress, true));
    let written = store.append(&a, token, batch(0, 1)).await.expect("its owner continues as it chooses");
    assert!(written.cancel_requested, "and receives the request");
    assert_eq!(finish(&*store, &a, token).await, None);
}

/// Contract 15 and 2: an owner that ends a run cannot miss that it was asked to stop.
pub async fn a_requested_stop_is_not_overlooked(store: Arc<dyn RunStore>) {
    let by = owner("other");
    let (a, token) = start(&*store, "u", "s").await;
    let waiting = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let written = store.append(&a, token, batch(0, 1)).await.expect("appended");
    assert!(!written.cancel_requested, "nobody has asked");
    assert_eq!(kind(store.cancel(&a, Batch::empty(0)).await), Ok(Some(Canceled::Requested)));
    let before = get(&*store, &a).await;
    let unaware = || end(&*store, (&a, token), batch(1, 1), Status::Completed, Some(&by));
    for _ in 0..2 {
        assert_eq!(
            kind(store.seal(&a, token, batch(1, 1), "completed", false).await),
            Err(ErrorKind::Canceled)
        );
        assert_eq!(unaware().await, Err(ErrorKind::Canceled));
    }
    assert_eq!(get(&*store, &a).await, before, "nothing has changed");
    assert_eq!(status(&*store, &waiting).await, Status::Queued);
    let stale = FencingToken(token.0 + 1);
    let refused = store.seal(&a, stale, batch(1, 1), "completed", false).await;
    assert_eq!(kind(refused), Err(ErrorKind::Conflict), "only the owner learns of it");
    // The stored entries are recognized, and the answer is the current one.
    assert!(store.append(&a, token, batch(0, 1)).await.expect("acknowledged").cancel_requested);
    for _ in 0..2 {
        store.seal(&a, token, batch(1, 1), "canceled", true).await.expect("sealed");
    }
    assert_eq!(get(&*store, &a).await.ending.as_deref(), Some("canceled"));
    // Once the end is settled, an owner that continues need not know.
    let last = || end(&*store, (&a, token), batch(2, 1), Status::Canceled, Some(&by));
    let granted = last().await.expect("finished").expect("one waits");
    assert_eq!(last().await, Ok(Some(granted.clone())));

    let asked = queue(&*store, SessionPolicy::Interrupt, 1).await;
    let refused = end(&*store, (&waiting, granted.token), batch(0, 1), Status::Completed, Some(&by)).await;
    assert_eq!(refused, Err(ErrorKind::Canceled), "an interrupting run is a request to stop, too");
    let granted = finish(&*store, &waiting, granted.token).await.expect("one waits");
    assert_eq!(granted.id, asked);
    assert_eq!(finish(&*store, &asked, granted.token).await, None);
}

/// Contract 15: the end of a sealed run is settled.
pub async fn what_is_sealed_is_not_cancelled(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    store.seal(&a, token, batch(0, 1), "completed", false).await.expect("sealed");
    assert_eq!(kind(store.cancel(&a, Batch::empty(0)).await), Ok(Some(Canceled::Ended)));
    let next = queue(&*store, SessionPolicy::Interrupt, 1).await;
    let record = get(&*store, &a).await;
    assert_eq!((record.status, record.cancel_requested), (Status::InProgress, false));
    finish_in_order(&*store, (&a, token), &[&next]).await;
}

/// Contract 15: a queued run ends in the same step, so that no session has two runs in progress.
pub async fn cancel_takes_out_of_the_queue(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let c = queue(&*store, SessionPolicy::Enqueue, 2).await;
    let d = steer(&*store, &a).await;
    for id in [&b, &d] {
        assert_eq!(kind(store.cancel(id, batch(1, 1)).await), Err(ErrorKind::Conflict), "a gap");
        let record = get(&*store, id).await;
        assert_eq!((record.status, record.cancel_requested), (Status::Queued, false), "nothing happened");
        assert_eq!(kind(store.cancel(id, batch(0, 1)).await), Ok(Some(Canceled::Dequeued)));
        let record = get(&*store, id).await;
        assert_eq!((record.status, record.cancel_requested), (Status::Canceled, true));
        assert_eq!((record.entries, record.ended_at.is_some()), (1, true));
        let log = store.read(id, 0, usize::MAX).await.expect("readable").expect("the log is there");
        assert_eq!((log.batches, log.is_end), (vec![batch(0, 1)], true));
        assert_eq!(
            (status(&*store, &a).await, status(&*store, &c).await),
            (Status::InProgress, Status::Queued)
        );
        assert_eq!(kind(store.cancel(id, batch(0, 1)).await), Ok(Some(Canceled::Ended)));
        assert_eq!(kind(store.take_over(id, &owner("by")).await), Ok(None), "nothing is left to do");
    }
    assert_eq!(kind(store.steered(&a).await), Ok(vec![]));
    assert_eq!(kind(store.delete(&d).await), Ok(true));
    let e = queue(&*store, SessionPolicy::Enqueue, 2).await;
    finish_in_order(&*store, (&a, token), &[&c, &e]).await;
}

/// Contract 15 and 16.
pub async fn cancel_wakes_readers_of_a_waiting_run(store: Arc<dyn RunStore>) {
    start(&*store, "u", "s").await;
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let ended = async {
        while !store.read(&b, 0, usize::MAX).await.expect("readable").expect("kept").is_end {
            store.wait(&b, 0).await.expect("waited");
        }
    };
    let cancel = async { assert!(store.cancel(&b, batch(0, 1)).await.is_ok()) };
    while_waiting(ended, cancel).await;
}

/// Contract 15: a run that has ended.
pub async fn cancel_changes_nothing_of_the_ended(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    finish(&*store, &a, token).await;
    let before = get(&*store, &a).await;
    assert_eq!(kind(store.cancel(&a, Batch::empty(0)).await), Ok(Some(Canceled::Ended)));
    assert_eq!(get(&*store, &a).await, before);
}

/// Contract 17.
pub async fn signals_reach_the_owner(store: Arc<dyn RunStore>) {
    let told = async |owner: &OwnerId, id: &RunId| {
        loop {
            let runs = store.signals(owner).await.expect("listening works");
            // An owner that receives an empty list checks all of its runs, so it finds this one.
            if runs.is_empty() || runs.contains(id) {
                return;
            }
        }
    };
    let (one, other) = (owner("owner"), owner("other"));
    let (a, _) = start(&*store, "u", "s").await;
    let cancel =
        async { assert_eq!(kind(store.cancel(&a, Batch::empty(0)).await), Ok(Some(Canceled::Requested))) };
    while_waiting(told(&one, &a), cancel).await;
    assert!(get(&*store, &a).await.cancel_requested, "an owner that receives the signal finds the request");
    let hand = async { assert_ne!(steer(&*store, &a).await, a) };
    while_waiting(told(&one, &a), hand).await;
    assert_eq!(store.steered(&a).await.expect("readable").len(), 1);
    let interrupt = async { assert_ne!(queue(&*store, SessionPolicy::Interrupt, 1).await, a) };
    while_waiting(told(&one, &a), interrupt).await;

    // Also before it listens, and whichever process owns the run by then.
    let (b, _) = start(&*store, "u", "t").await;
    heartbeat(&*store, &other).await;
    assert!(take_over(&*store, &b, &other).await.is_some());
    assert_eq!(kind(store.cancel(&b, Batch::empty(0)).await), Ok(Some(Canceled::Requested)));
    told(&other, &b).await;
}

/// Contract 18 and 19.
pub async fn leases_keep_runs(store: Arc<dyn RunStore>) {
    let (one, other) = (owner("owner"), owner("other"));
    let (a, _) = start(&*store, "u", "s").await;
    assert!(is_orphan(&*store, &a).await, "its owner has never had a lease");
    for owner in [&one, &other] {
        heartbeat(&*store, owner).await;
    }
    assert!(!is_orphan(&*store, &a).await);
    assert_eq!(take_over(&*store, &a, &other).await, None);
    heartbeat(&*store, &one).await;
    store.release_lease(&other).await.expect("released");
    assert!(!is_orphan(&*store, &a).await, "another one has released its lease");
    for _ in 0..2 {
        store.release_lease(&one).await.expect("releasing can be repeated");
    }
    assert!(is_orphan(&*store, &a).await);
    heartbeat(&*store, &one).await;
    assert!(!is_orphan(&*store, &a).await, "its lease is live again");
    store.release_lease(&one).await.expect("released");
    for session in ["1", "2", "3"] {
        start(&*store, "u", session).await;
    }
    assert_eq!(store.orphans(size(1000)).await.expect("found").len(), 4);
    assert_eq!(store.orphans(size(3)).await.expect("found").len(), 3, "some at a time");
}

/// Contract 18: an owner without a live lease takes over nothing.
pub async fn takers_need_a_lease(store: Arc<dyn RunStore>) {
    let (one, other) = (owner("owner"), owner("other"));
    let (a, token) = start(&*store, "u", "s").await;
    let waiting = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let refused = async || {
        for id in [&a, &waiting] {
            for taker in [&one, &other] {
                assert_eq!(kind(store.take_over(id, taker).await), Err(ErrorKind::Conflict), "{taker}");
            }
        }
    };
    refused().await;
    for owner in [&one, &other] {
        heartbeat(&*store, owner).await;
        store.heartbeat(owner, Duration::ZERO).await.expect("a lease that is over at once");
    }
    refused().await;
    for owner in [&one, &other] {
        heartbeat(&*store, owner).await;
        store.release_lease(owner).await.expect("released");
    }
    refused().await;
    assert!(get(&*store, &a).await.epochs.is_empty());
    finish_in_order(&*store, (&a, token), &[&waiting]).await;
    assert_eq!(take_over(&*store, &a, &other).await, None, "it has ended, so the caller does not matter");
}

/// Makes a lease expire.
async fn expire(store: &dyn RunStore, owner: &OwnerId) {
    store.heartbeat(owner, Duration::ZERO).await.expect("a lease that is over at once");
}

/// Contract 28 and 19: an owner whose lease has expired gets time to renew it.
pub async fn owners_may_come_back(store: Arc<dyn RunStore>) {
    let (one, other) = (owner("owner"), owner("other"));
    let (a, token) = start(&*store, "u", "s").await;
    heartbeat(&*store, &one).await;
    expire(&*store, &one).await;
    assert!(is_orphan(&*store, &a).await);
    // Its own lease is live only since then, so it cannot know which others are.
    heartbeat(&*store, &other).await;
    assert_eq!(take_over(&*store, &a, &other).await, None);
    heartbeat(&*store, &one).await;
    assert!(!is_orphan(&*store, &a).await, "it has come back");
    store.append(&a, token, batch(0, 1)).await.expect("and the run is still its own");

    // Another owner that holds its lease without a gap takes over the run in the end.
    expire(&*store, &one).await;
    let third = owner("third");
    let tried = async |id: &RunId| loop {
        store.heartbeat(&third, SHORT).await.expect("renewed");
        // On a busy machine, the time may already be over.
        match kind(store.take_over(id, &third).await) {
            Err(ErrorKind::Conflict) => {}
            other => return other.expect("asked"),
        }
    };
    let taken = loop {
        if let Some(token) = tried(&a).await {
            break token;
        }
    };
    store.append(&a, taken, batch(1, 1)).await.expect("appended");
    assert_eq!(kind(store.append(&a, token, batch(2, 1)).await), Err(ErrorKind::Conflict));

    // A run that was taken over is not taken from the new owner at once, although its lease has expired as well.
    let (b, _) = start(&*store, "u", "t").await;
    store.release_lease(&one).await.expect("released");
    assert!(take_over(&*store, &b, &other).await.is_some());
    expire(&*store, &other).await;
    assert_eq!(tried(&b).await, None);
    store.release_lease(&other).await.expect("released");
    assert!(tried(&b).await.is_some(), "it was given up");
}

/// Contract 18: the old owner is locked out.
pub async fn take_over_locks_out(store: Arc<dyn RunStore>) {
    let (a, old) = start(&*store, "u", "s").await;
    store.append(&a, old, batch(0, 3)).await.expect("appended");
    let other = owner("other");
    heartbeat(&*store, &other).await;
    let token = take_over(&*store, &a, &other).await.expect("an orphan");
    assert!(token > old);
    assert!(!is_orphan(&*store, &a).await);
    let writes = [
        store.append(&a, old, batch(3, 1)).await.map(|_| ()),
        store.append(&a, old, batch(0, 3)).await.map(|_| ()),
        store.seal(&a, old, batch(3, 1), "no", false).await,
        store.drop_steered(&a, old, &[]).await,
    ];
    for write in writes {
        assert_eq!(kind(write), Err(ErrorKind::Conflict));
    }
    let ended = end(&*store, (&a, old), batch(3, 1), Status::Completed, None).await;
    assert_eq!(ended, Err(ErrorKind::Conflict));
    assert_eq!(get(&*store, &a).await.epochs, [3], "the new epoch begins where the log ended");
    store.append(&a, token, batch(3, 2)).await.expect("appended");
    store.release_lease(&other).await.expect("released");
    let third = owner("third");
    heartbeat(&*store, &third).await;
    let third = take_over(&*store, &a, &third).await.expect("an orphan again");
    assert!(third > token);
    assert_eq!(get(&*store, &a).await.epochs, [3, 5]);
    let waiting = queue(&*store, SessionPolicy::Enqueue, 1).await;
    finish_in_order(&*store, (&a, third), &[&waiting]).await;
    assert_eq!(take_over(&*store, &a, &other).await, None, "it has ended");
}

/// Contract 18: one's own run.
pub async fn own_runs_may_be_taken_again(store: Arc<dyn RunStore>) {
    let one = owner("owner");
    heartbeat(&*store, &one).await;
    let (a, old) = start(&*store, "u", "s").await;
    let waiting = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let token = take_over(&*store, &a, &one).await.expect("its own");
    assert!(token > old);
    let refused = store.append(&a, old, batch(0, 1)).await;
    assert_eq!(kind(refused), Err(ErrorKind::Conflict));
    assert_eq!(get(&*store, &a).await.epochs, [0]);
    assert_eq!(take_over(&*store, &waiting, &one).await, None, "it has to wait, whoever the caller is");
    finish_in_order(&*store, (&a, token), &[&waiting]).await;
    assert_eq!(take_over(&*store, &a, &one).await, None, "it has ended");
}

/// Contract 18: if several owners try at once, one succeeds.
pub async fn one_of_many_takes_over(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let waiting = queue(&*store, SessionPolicy::Enqueue, 1).await;
    for number in 0..20 {
        heartbeat(&*store, &owner(&format!("o{number}"))).await;
    }
    let race = async |id: &RunId| {
        let taken = at_once((0..20).map(|number| {
            let (store, id) = (Arc::clone(&store), id.clone());
            async move { take_over(&*store, &id, &owner(&format!("o{number}"))).await }
        }))
        .await;
        let taken: Vec<FencingToken> = taken.into_iter().flatten().collect();
        assert_eq!(taken.len(), 1, "one succeeds");
        taken[0]
    };
    let taken = race(&a).await;
    assert!(taken > token);
    let ended = end(&*store, (&a, taken), Batch::empty(0), Status::Completed, None).await;
    assert_eq!(ended, Ok(None));
    let taken = race(&waiting).await;
    assert_eq!(finish(&*store, &waiting, taken).await, None);
}

/// Contract 21.
pub async fn readers_are_counted(store: Arc<dyn RunStore>) {
    let (a, _) = start(&*store, "u", "s").await;
    let (b, _) = start(&*store, "u", "t").await;
    let reader_ttl = async |id: &RunId| store.reader_ttl(id).await.expect("readable");
    assert_eq!(reader_ttl(&a).await, Duration::ZERO);
    store.touch_reader(&a, LONG).await.expect("touched");
    store.touch_reader(&a, Duration::from_secs(1)).await.expect("touched");
    let left = reader_ttl(&a).await;
    assert!(left > LONG / 2, "another reader is still there: {left:?}");
    // A store that counts in whole seconds may round up.
    assert!(left <= LONG + Duration::from_secs(1), "{left:?}");
    assert_eq!(reader_ttl(&b).await, Duration::ZERO);
}

/// The lifecycle's contract 3: acknowledged data survives a stop and a restart.
pub async fn a_restart_forgets_no_run(store: Arc<dyn RunStore>) {
    let keyed = || new_run("u", "s").with_key(super::keyed("k", "f"));
    let (a, created) = create(&*store, keyed()).await;
    let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
    store.append(&a, token, batch(0, 3)).await.expect("appended");
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let c = steer(&*store, &a).await;
    let before = get(&*store, &a).await;
    store.stop().await.expect("stopped");
    store.start().await.expect("started");
    assert_eq!(get(&*store, &a).await, before);
    assert_eq!(create(&*store, keyed()).await.1, Created::Repeated(a.clone()));
    let (later, _) = create(&*store, new_run("u", "t")).await;
    assert!(get(&*store, &later).await.number > before.number, "numbers continue");
    finish_in_order(&*store, (&a, token), &[&c, &b]).await;
}
