//! Deleting all runs of a session or of a user.

use std::sync::Arc;

use agent_schemas::{RunId, Status};

use super::{
    batch, create, end, finish, get, is_orphan, keyed, kind, listed, new_run, owner, queue, start, status,
    steer, while_waiting,
};
use crate::ErrorKind;
use crate::conformance::{session, user};
use crate::run::{Created, RunFilter, RunStore, SessionPolicy};

async fn is_gone(store: &dyn RunStore, id: &RunId) -> bool {
    store.get(id).await.expect("readable").is_none()
        && store.read(id, 0, usize::MAX).await.expect("readable").is_none()
}

/// Contract 25: ended runs with their keys and logs, and no others.
pub async fn delete_session_forgets_ended_runs(store: Arc<dyn RunStore>) {
    let (a, created) = create(&*store, new_run("u", "s").with_key(keyed("k", "f"))).await;
    let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
    finish(&*store, &a, token).await;
    let (b, token) = start(&*store, "u", "s").await;
    finish(&*store, &b, token).await;
    let (other_session, _) = start(&*store, "u", "t").await;
    let (other_user, _) = start(&*store, "v", "s").await;
    assert_eq!(kind(store.delete_session(&user("u"), &session("s")).await), Ok(2));
    assert_eq!(kind(store.delete_session(&user("u"), &session("s")).await), Ok(0), "it can be repeated");
    assert!(is_gone(&*store, &a).await && is_gone(&*store, &b).await);
    assert_eq!(listed(&*store, "u", &RunFilter::default(), 10).await, std::slice::from_ref(&other_session));
    for kept in [&other_session, &other_user] {
        assert_eq!(status(&*store, kept).await, Status::InProgress);
    }
    let (_, created) = create(&*store, new_run("u", "s").with_key(keyed("k", "other"))).await;
    assert!(matches!(created, Created::Started(_)), "the key is free, and so is the session: {created:?}");
}

/// Contract 25: runs in progress and queued runs. Their session is then free, and their owner can write nothing more.
pub async fn delete_session_locks_out_owners(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let b = queue(&*store, SessionPolicy::Enqueue, 1).await;
    let c = steer(&*store, &a).await;
    let told = async {
        loop {
            let runs = store.signals(&owner("owner")).await.expect("listening works");
            if runs.is_empty() || runs.contains(&a) {
                return;
            }
        }
    };
    let delete = async {
        assert_eq!(kind(store.delete_session(&user("u"), &session("s")).await), Ok(3));
    };
    while_waiting(told, delete).await;
    for id in [&a, &b, &c] {
        assert!(is_gone(&*store, id).await && !is_orphan(&*store, id).await);
    }
    assert_eq!(kind(store.append(&a, token, batch(0, 1)).await), Err(ErrorKind::NotFound));
    let ended = end(&*store, (&a, token), batch(0, 1), Status::Completed, None).await;
    assert_eq!(ended, Err(ErrorKind::NotFound));
    let (d, token) = start(&*store, "u", "s").await;
    assert!(!get(&*store, &d).await.cancel_requested);
    assert_eq!(finish(&*store, &d, token).await, None, "no run is queued");
}

/// Contract 25: a user's runs of all sessions, however many, and nobody else's.
pub async fn delete_user_forgets_all_runs(store: Arc<dyn RunStore>) {
    for number in 0..230 {
        let (id, token) = start(&*store, "u", &number.to_string()).await;
        if number % 2 == 0 {
            finish(&*store, &id, token).await;
        }
    }
    let beside = new_run("u", "s").with_policy(SessionPolicy::Concurrent).with_key(keyed("k", "f"));
    create(&*store, beside).await;
    let (kept, _) = start(&*store, "v", "s").await;
    assert_eq!(kind(store.delete_user(&user("u")).await), Ok(231));
    assert_eq!(kind(store.delete_user(&user("u")).await), Ok(0));
    assert_eq!(listed(&*store, "u", &RunFilter::default(), 10).await, []);
    assert_eq!(listed(&*store, "v", &RunFilter::default(), 10).await, [kept]);
    let repeated = keyed("k", "f").map(crate::run::IdempotencyKey::repeated);
    let (_, created) = create(&*store, new_run("u", "s").with_key(repeated)).await;
    assert_eq!(created, Created::KeyUnknown);
}
