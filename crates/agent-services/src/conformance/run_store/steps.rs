//! The steps of runs.

use std::sync::Arc;

use agent_schemas::{RunId, Status};

use super::{LONG, batch, end, finish, get, kind, owner, start};
use crate::ErrorKind;
use crate::conformance::{at_once, hostile_ids};
use crate::limits::MAX_ID_BYTES;
use crate::run::{FencingToken, RunStore, Step, fresh_id};

async fn put(store: &dyn RunStore, (id, token): (&RunId, FencingToken), key: &str, data: &str) {
    store.put_step(id, token, Step::new(key, data)).await.expect("kept");
}

async fn steps(store: &dyn RunStore, id: &RunId) -> Vec<Step> {
    store.steps(id).await.expect("readable")
}

/// Contract 30.
pub async fn steps_are_kept_by_their_keys(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    let (b, _) = start(&*store, "u", "t").await;
    assert_eq!(steps(&*store, &a).await, []);
    let mut keys = hostile_ids();
    for key in &keys {
        put(&*store, (&a, token), key, "a first result that is replaced").await;
        put(&*store, (&a, token), key, &format!("the result of {key}")).await;
    }
    keys.sort();
    let expected: Vec<Step> = keys.iter().map(|key| Step::new(key, format!("the result of {key}"))).collect();
    assert_eq!(steps(&*store, &a).await, expected);
    assert_eq!(steps(&*store, &b).await, [], "other runs have other steps");
    assert_eq!(get(&*store, &a).await.entries, 0, "steps take no numbers");
    let long = Step::new("x".repeat(MAX_ID_BYTES + 1), "1");
    assert_eq!(kind(store.put_step(&a, token, long).await), Err(ErrorKind::InvalidInput));
    finish(&*store, &a, token).await;
    assert_eq!(steps(&*store, &a).await, expected, "as long as the run");
    let late = Step::new("late", "1");
    assert_eq!(kind(store.put_step(&a, token, late.clone()).await), Err(ErrorKind::Conflict));
    assert_eq!(kind(store.delete(&a).await), Ok(true));
    assert_eq!(steps(&*store, &a).await, []);
    assert_eq!(kind(store.put_step(&a, token, late.clone()).await), Err(ErrorKind::NotFound));
    assert_eq!(kind(store.claim_step(&a, late).await), Err(ErrorKind::NotFound));
}

/// Contract 30 and 5: whoever takes the run over finds them, and the earlier owner can write no more.
pub async fn steps_outlive_their_owner(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    put(&*store, (&a, token), "k", "1").await;
    store.heartbeat(&owner("other"), LONG).await.expect("renewed");
    let taken = store.take_over(&a, &owner("other")).await.expect("answered").expect("an orphan");
    assert_eq!(kind(store.put_step(&a, token, Step::new("k", "2")).await), Err(ErrorKind::Conflict));
    assert_eq!(steps(&*store, &a).await, [Step::new("k", "1")]);
    put(&*store, (&a, taken), "l", "3").await;
    assert_eq!(end(&*store, (&a, taken), batch(0, 1), Status::Completed, None).await, Ok(None));
    assert_eq!(steps(&*store, &a).await, [Step::new("k", "1"), Step::new("l", "3")]);
    let unknown = fresh_id(&crate::clock::SystemIds, &crate::conformance::user("u"));
    assert_eq!(steps(&*store, &unknown).await, []);
}

/// Contract 31.
pub async fn one_of_many_claims_a_step(store: Arc<dyn RunStore>) {
    let (a, token) = start(&*store, "u", "s").await;
    put(&*store, (&a, token), "known", "0").await;
    assert_eq!(kind(store.claim_step(&a, Step::new("known", "1")).await), Ok(Step::new("known", "0")));
    assert_eq!(kind(store.claim_step(&a, Step::new("live", "1")).await), Ok(Step::new("live", "1")));
    finish(&*store, &a, token).await;
    let claims = (0..20).map(|number| {
        let (store, id) = (Arc::clone(&store), a.clone());
        async move { store.claim_step(&id, Step::new("ended", number.to_string())).await.expect("kept") }
    });
    let kept = at_once(claims).await;
    assert!(kept.iter().all(|step| *step == kept[0]), "{kept:?}");
    assert!(steps(&*store, &a).await.contains(&kept[0]));
    assert_eq!(kind(store.delete(&a).await), Ok(true));
}
