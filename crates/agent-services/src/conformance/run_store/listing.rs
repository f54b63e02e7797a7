//! Finding runs without their ids: lists, keys, and what a sweep leaves.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{ProtocolData, RunId, Status};

use super::{batch, create, end, finish, get, keyed, kind, listed, new_run, queue, size, start, steer};
use crate::ErrorKind;
use crate::conformance::{at_once, hostile_ids, session, user};
use crate::limits::MAX_ID_BYTES;
use crate::run::{Batch, Canceled, Created, IdempotencyKey, RunFilter, RunStore, SessionPolicy};

/// Contract 14.
pub async fn keys_make_runs_once(store: Arc<dyn RunStore>) {
    let run = |u: &str, key: &str, fingerprint: &str| new_run(u, "s").with_key(keyed(key, fingerprint));
    let (a, created) = create(&*store, run("u", "k", "f")).await;
    let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
    let (id, created) = create(&*store, run("u", "k", "f").with_policy(SessionPolicy::Reject)).await;
    assert_eq!(created, Created::Repeated(a.clone()));
    assert_eq!(kind(store.get(&id).await), Ok(None), "it creates nothing");
    let (_, created) = create(&*store, run("u", "k", "g")).await;
    assert_eq!(created, Created::KeyReused);
    let elsewhere = new_run("u", "t").with_key(keyed("k", "f"));
    assert_eq!(create(&*store, elsewhere).await.1, Created::Repeated(a.clone()), "whatever the session");
    let (_, created) = create(&*store, run("other", "k", "f")).await;
    assert!(matches!(created, Created::Started(_)), "another user has other keys: {created:?}");
    let (b, created) = create(&*store, run("u", "", "")).await;
    assert_eq!(created, Created::Queued { ahead: 1 }, "an empty key is a key");
    assert_eq!(create(&*store, run("u", "", "")).await.1, Created::Repeated(b.clone()));
    assert_eq!(listed(&*store, "u", &RunFilter::default(), 10).await, [b, a.clone()]);

    finish(&*store, &a, token).await;
    let again = || {
        let key = keyed("k", "f").map(IdempotencyKey::repeated);
        new_run("u", "s").with_key(key)
    };
    assert_eq!(create(&*store, again()).await.1, Created::Repeated(a.clone()), "as long as the run");
    assert_eq!(kind(store.delete(&a).await), Ok(true));
    let (id, created) = create(&*store, again()).await;
    assert_eq!((created, kind(store.get(&id).await)), (Created::KeyUnknown, Ok(None)), "nothing to repeat");
    assert_eq!(create(&*store, run("u", "k", "g")).await.1, Created::Queued { ahead: 1 }, "gone with it");
}

/// Contract 14 and 13: the key of an input that was handed to a run leads to that run, which outlives the input.
pub async fn keys_of_handed_runs_lead_to_the_other(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let run = || new_run("u", "s").with_policy(SessionPolicy::Steer).with_key(keyed("k", "f"));
    let (b, created) = create(&*store, run()).await;
    assert_eq!(created, Created::Steered(a.clone()));
    assert_eq!(create(&*store, run()).await.1, Created::Repeated(a.clone()));
    store.drop_steered(&a, token, &[b]).await.expect("dropped");
    assert_eq!(create(&*store, run()).await.1, Created::Repeated(a.clone()));
    finish(&*store, &a, token).await;
    assert_eq!(create(&*store, run()).await.1, Created::Repeated(a.clone()));
    assert_eq!(kind(store.delete(&a).await), Ok(true));
    assert!(matches!(create(&*store, run()).await.1, Created::Started(_)));
}

/// Contract 14, with many at once.
pub async fn racing_creates_with_one_key_make_one_run(store: Arc<dyn RunStore>) {
    let made = at_once((0..50).map(|number: usize| {
        let store = Arc::clone(&store);
        let run = new_run("u", if number.is_multiple_of(2) { "s" } else { "t" }).with_key(keyed("k", "f"));
        async move { create(&*store, run).await }
    }))
    .await;
    let started: Vec<&RunId> =
        made.iter().filter(|(_, created)| matches!(created, Created::Started(_))).map(|(id, _)| id).collect();
    assert_eq!(started.len(), 1);
    let others = made.iter().filter(|(id, _)| id != started[0]);
    others.for_each(|(_, created)| assert_eq!(*created, Created::Repeated(started[0].clone())));
    assert_eq!(listed(&*store, "u", &RunFilter::default(), 100).await, [started[0].clone()]);
}

/// Contract 20: pages.
pub async fn lists_are_stable(store: Arc<dyn RunStore>) {
    let mut made = Vec::new();
    for number in 0..25 {
        made.insert(0, start(&*store, "u", &number.to_string()).await);
    }
    start(&*store, "other", "s").await;
    let (mut after, mut found) = (None, Vec::new());
    let mut gone = 0;
    loop {
        let page = store.list(&user("u"), &RunFilter::default(), after, size(7)).await.expect("listed");
        for pair in page.items.windows(2) {
            assert!(pair[0].number > pair[1].number, "the newest first");
        }
        for record in &page.items {
            assert_eq!(*record, get(&*store, &record.id).await);
        }
        found.extend(page.items.into_iter().map(|record| record.id));
        after = page.next;
        if after.is_none() {
            break;
        }
        // Runs that are created, ended or deleted meanwhile move nothing.
        start(&*store, "u", &format!("later {}", found.len())).await;
        let (id, token) = &made[gone];
        finish(&*store, id, *token).await;
        assert_eq!(kind(store.delete(id).await), Ok(true));
        gone += 1;
    }
    assert_eq!(found, made.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>());
    assert_eq!(listed(&*store, "u", &RunFilter::default(), 1).await.len(), 25);
    assert_eq!(listed(&*store, "nobody", &RunFilter::default(), 1).await, []);
}

/// Contract 20: filters.
pub async fn lists_are_filtered(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let c = steer(&*store, &a).await;
    let (d, _) = start(&*store, "u", "t").await;
    let (e, _) = start(&*store, "u", "").await;
    let found = async |s: Option<&str>, status: Option<Status>| {
        let filter = RunFilter { session: s.map(session), status };
        let one_by_one = listed(&*store, "u", &filter, 1).await;
        assert_eq!(listed(&*store, "u", &filter, 100).await, one_by_one);
        one_by_one
    };
    assert_eq!(found(None, None).await, [&e, &d, &c, &b, &a].map(Clone::clone));
    assert_eq!(found(Some("s"), None).await, [&c, &b, &a].map(Clone::clone));
    assert_eq!(found(Some(""), None).await, std::slice::from_ref(&e));
    assert_eq!(found(None, Some(Status::Queued)).await, [&c, &b].map(Clone::clone));
    assert_eq!(found(None, Some(Status::InProgress)).await, [&e, &d, &a].map(Clone::clone));
    assert_eq!(found(Some("t"), Some(Status::Queued)).await, []);
    let ended = end(&*store, (&a, token), batch(0, 1), Status::Failed, None).await;
    assert_eq!(ended, Ok(None));
    assert_eq!(found(None, Some(Status::Failed)).await, [a]);
    assert_eq!(found(None, Some(Status::InProgress)).await, [e, d]);
}

/// Contract 22, for a store with the retention [`SWEPT`](super::SWEPT).
pub async fn sweep_forgets(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let c = steer(&*store, &a).await;
    let mut ended = Vec::new();
    for session in ["1", "2", "3"] {
        let mut run = new_run("u", session).with_key(keyed(session, "f"));
        // The size of trimmed runs is limited too.
        run.record.options.response_ttl = Duration::from_secs(if session == "2" { 60 * 60 } else { 0 });
        let (id, created) = create(&*store, run).await;
        let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
        store.append(&id, token, batch(0, 100)).await.expect("appended");
        let last = end(&*store, (&id, token), batch(100, 1), Status::Completed, None).await;
        assert_eq!(last, Ok(None));
        ended.push(id);
    }
    store.sweep().await.expect("swept");
    assert_eq!(kind(store.sweep().await), Ok(0), "a second time there is nothing to do");
    for id in &ended {
        assert_eq!(kind(store.get(id).await), Ok(None));
        assert_eq!(kind(store.read(id, 0, 1000).await), Ok(None));
    }
    let unfinished = [&c, &b, &a].map(Clone::clone);
    assert_eq!(listed(&*store, "u", &RunFilter::default(), 100).await, unfinished);
    let (_, created) = create(&*store, new_run("u", "1").with_key(keyed("1", "g"))).await;
    assert!(matches!(created, Created::Started(_)), "the key went with its run: {created:?}");
    assert_eq!(finish(&*store, &a, token).await.map(|grant| grant.id), Some(c), "turns are as they were");
}

/// Contract 22, for a store with the retention [`TRIMMED`](super::TRIMMED).
pub async fn sweep_trims(store: Arc<dyn RunStore>) {
    const ENTRIES: u64 = 2000;
    let end = async |session: &str, kept_for: u64, entries: u64| {
        let mut run = new_run("u", session).with_key(keyed(session, "f"));
        run.record.options.response_ttl = Duration::from_secs(kept_for);
        let (id, created) = create(&*store, run).await;
        let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
        assert_eq!(get(&*store, &id).await.options.response_ttl.as_secs(), kept_for);
        store.append(&id, token, batch(0, entries - 3)).await.expect("appended");
        let last = end(&*store, (&id, token), batch(entries - 3, 3), Status::Completed, None).await;
        assert_eq!(last, Ok(None));
        (id, token)
    };
    let (long, _) = end("1", 0, ENTRIES).await;
    let (kept, token) = end("2", 60 * 60, ENTRIES).await;
    let (whole, _) = end("3", 60 * 60, 3).await;
    store.sweep().await.expect("swept");
    assert_eq!(kind(store.sweep().await), Ok(0), "a second time there is nothing to do");
    assert_eq!(kind(store.get(&long).await), Ok(None), "it was not to be kept longer");
    assert_eq!(read(&*store, &whole, 0).await, batch(0, 3).frames, "its log is not too much");
    assert_eq!(listed(&*store, "u", &RunFilter::default(), 1).await, [whole, kept.clone()]);

    let record = get(&*store, &kept).await;
    assert_eq!(
        (record.first_entry, record.entries, record.status),
        (ENTRIES - 1, ENTRIES, Status::Completed)
    );
    assert_eq!(read(&*store, &kept, ENTRIES - 1).await, batch(ENTRIES - 1, 1).frames);
    assert!(read(&*store, &kept, ENTRIES).await.is_empty());
    for from in [0, 1, ENTRIES - 2] {
        assert_eq!(kind(store.read(&kept, from, 1000).await), Ok(None), "{from} is not kept");
    }
    for gone in [batch(0, 1), batch(ENTRIES - 3, 3), Batch::empty(7)] {
        let again = store.append(&kept, token, gone).await;
        assert_eq!(kind(again), Err(ErrorKind::Conflict), "it can no longer be repeated");
    }
    store.append(&kept, token, batch(ENTRIES - 1, 1)).await.expect("this can be");
    let again = new_run("u", "2").with_key(keyed("2", "f"));
    assert_eq!(create(&*store, again).await.1, Created::Repeated(kept.clone()), "its key is kept");
    assert_eq!(kind(store.cancel(&kept, Batch::empty(0)).await), Ok(Some(Canceled::Ended)));
    store.wait(&kept, 0).await.expect("it has ended");
    assert_eq!(kind(store.delete(&kept).await), Ok(true));
    assert_eq!(kind(store.get(&kept).await), Ok(None));
    assert_eq!(kind(store.sweep().await), Ok(0));

    // The data that a protocol keeps counts, too. It does not compress.
    let random = (0..8_000_u64).map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let mut large = new_run("u", "4");
    large.record.options.response_ttl = Duration::from_secs(60 * 60);
    large.record.options.protocol = Some(ProtocolData::new("p", random.collect::<String>()));
    let (large, created) = create(&*store, large).await;
    let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
    store.append(&large, token, batch(0, ENTRIES)).await.expect("appended");
    let last = super::end(&*store, (&large, token), batch(ENTRIES, 1), Status::Completed, None).await;
    assert_eq!(last, Ok(None));
    store.sweep().await.expect("swept");
    store.sweep().await.expect("swept");
    assert_eq!(kind(store.get(&large).await), Ok(None), "it is larger than the limit of all trimmed runs");
}

/// All of a log from an entry on.
async fn read(store: &dyn RunStore, id: &RunId, from: u64) -> Vec<u8> {
    let page = store.read(id, from, usize::MAX).await.expect("readable").expect("it is kept");
    assert!(page.is_end);
    Batch::concat(&page.batches).frames.to_vec()
}

/// Contract 24.
pub async fn users_of_runs_never_meet(store: Arc<dyn RunStore>) {
    let ids = hostile_ids();
    let mut made = Vec::new();
    for (number, u) in ids.iter().enumerate() {
        let mut expected = Vec::new();
        for s in ids.iter().skip(number % 3).step_by(3) {
            let run = new_run(u, s).with_key(keyed(s, u));
            let (id, created) = create(&*store, run).await;
            assert!(matches!(created, Created::Started(_)), "{u:?} {s:?} is free: {created:?}");
            expected.insert(0, (id, s));
        }
        made.push((u, expected));
    }
    for (u, expected) in made {
        let all: Vec<RunId> = expected.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(listed(&*store, u, &RunFilter::default(), 7).await, all, "{u:?}");
        for (id, s) in expected {
            let filter = RunFilter { session: Some(session(s)), status: None };
            assert_eq!(listed(&*store, u, &filter, 7).await, std::slice::from_ref(&id), "{u:?} {s:?}");
            let again = new_run(u, s).with_key(keyed(s, u));
            assert_eq!(create(&*store, again).await.1, Created::Repeated(id.clone()));
            let busy = new_run(u, s).with_policy(SessionPolicy::Reject);
            assert_eq!(create(&*store, busy).await.1, Created::Busy(id));
        }
    }
}

/// Contract 24: too long.
pub async fn long_ids_of_runs_are_refused(store: Arc<dyn RunStore>) {
    let longest = "é".repeat(MAX_ID_BYTES / 2);
    let fits = new_run(&longest, &longest).with_key(keyed(&longest, &longest));
    let (id, created) = create(&*store, fits).await;
    assert!(matches!(created, Created::Started(_)), "the longest ids are good");
    assert_eq!(listed(&*store, &longest, &RunFilter::default(), 10).await, [id]);
    let long = longest + "x";
    for refused in [new_run(&long, "s"), new_run("u", &long), new_run("u", "s").with_key(keyed(&long, "f"))] {
        let id = refused.record.id.clone();
        assert_eq!(kind(store.create(refused).await), Err(ErrorKind::InvalidInput));
        assert_eq!(kind(store.get(&id).await), Ok(None));
    }
    let list = store.list(&user(&long), &RunFilter::default(), None, size(10)).await;
    assert_eq!(kind(list.map(drop)), Err(ErrorKind::InvalidInput));
    start(&*store, "u", "s").await;
}
