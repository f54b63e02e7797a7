//! The contract of [`StateStore`], line by line.
//!
//! A broken promise panics, like a test's assertion.
#![expect(clippy::missing_panics_doc, reason = "panicking is how these functions report")]

use std::sync::Arc;

use agent_schemas::{Json, json};

use super::{at_once, hostile_ids, lifecycle, session, user};
use crate::ErrorKind;
use crate::limits::{MAX_ID_BYTES, StoreLimits};
use crate::page::PageSize;
use crate::state::StateStore;

/// Creates one test per line of the contract, for the store that an async expression returns.
#[macro_export]
macro_rules! state_store_conformance {
    ($make:expr) => {
        $crate::conformance_tests!(state_store, $make;
            lives_and_ends rounds_count_by_themselves given_rounds_are_kept automatic_rounds_differ
            absence_is_not_an_error any_value_comes_back rounds_are_listed_in_stable_pages
            deleted_states_are_gone users_never_meet what_is_too_large_is_refused a_restart_forgets_nothing);
    };
}

async fn save(store: &dyn StateStore, round: Option<u64>, state: &str) -> u64 {
    let state = json::parse(state).expect("JSON");
    store.save(&user("u"), &session("s"), round, &state).await.expect("saved")
}

async fn export(store: &dyn StateStore, round: Option<u64>) -> Option<(u64, String)> {
    let found = store.export(&user("u"), &session("s"), round).await.expect("readable");
    found.map(|(round, state)| (round, state.to_string()))
}

async fn rounds(store: &dyn StateStore, items: usize) -> Vec<u64> {
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let size = PageSize::new(items).expect("a size");
        let page = store.rounds(&user("u"), &session("s"), after, size).await.expect("listed");
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// The contract of [`Service`](crate::Service), and that calls after the stop are rejected.
pub async fn lives_and_ends(store: Arc<dyn StateStore>) {
    lifecycle::start_and_stop_can_be_repeated(&*store).await;
    lifecycle::health_follows_the_lifecycle(&*store).await;
    let refused = store.export(&user("u"), &session("s"), None).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::Unavailable));
}

/// Contract 1.
pub async fn rounds_count_by_themselves(store: Arc<dyn StateStore>) {
    for round in 1..=3 {
        assert_eq!(save(&*store, None, "{}").await, round);
    }
    save(&*store, Some(10), "{}").await;
    assert_eq!(save(&*store, None, "{}").await, 11);
}

/// Contract 2.
pub async fn given_rounds_are_kept(store: Arc<dyn StateStore>) {
    for (round, state) in [(5, "5"), (0, "0"), (5, "55")] {
        assert_eq!(save(&*store, Some(round), state).await, round);
    }
    assert_eq!(export(&*store, Some(5)).await, Some((5, "55".to_owned())));
    assert_eq!(export(&*store, Some(0)).await, Some((0, "0".to_owned())));
    assert_eq!(export(&*store, None).await, Some((5, "55".to_owned())));
    assert_eq!(rounds(&*store, 10).await, [5, 0]);
}

/// Contract 1, with many savers at once.
pub async fn automatic_rounds_differ(store: Arc<dyn StateStore>) {
    let savers = (0..50).map(|saver: i64| {
        let store = Arc::clone(&store);
        async move {
            let saved = store.save(&user("u"), &session("s"), None, &Json::from(saver)).await;
            (saved.expect("saved"), saver)
        }
    });
    let mut saved = at_once(savers).await;
    saved.sort_unstable();
    assert_eq!(saved.iter().map(|(round, _)| *round).collect::<Vec<_>>(), (1..=50).collect::<Vec<_>>());
    for (round, saver) in saved {
        assert_eq!(export(&*store, Some(round)).await, Some((round, saver.to_string())));
    }
}

/// Contract 3.
pub async fn absence_is_not_an_error(store: Arc<dyn StateStore>) {
    assert_eq!(export(&*store, None).await, None);
    save(&*store, None, "1").await;
    assert_eq!(export(&*store, Some(2)).await, None);
    assert_eq!(store.export(&user("u"), &session("t"), None).await.expect("readable"), None);
}

/// Contract 4.
pub async fn any_value_comes_back(store: Arc<dyn StateStore>) {
    for state in [
        "null",
        "true",
        "\"\"",
        "[]",
        "{}",
        "1.0",
        "1e22",
        "-0.0",
        "123456789012345678901234567890",
        r#"{"z":1,"a":{"1":[null,{"":0.10}]},"ü\u0000":"\u2028👋"}"#,
    ] {
        let state = json::parse(state).expect("JSON");
        let round = save(&*store, None, &state.to_string()).await;
        assert_eq!(export(&*store, None).await, Some((round, state.to_string())));
    }
}

/// Contract 5.
pub async fn rounds_are_listed_in_stable_pages(store: Arc<dyn StateStore>) {
    assert!(rounds(&*store, 10).await.is_empty());
    for round in [3, 1, 400, 7, 90] {
        save(&*store, Some(round), "{}").await;
    }
    for items in [1, 2, 5, 6] {
        assert_eq!(rounds(&*store, items).await, [400, 90, 7, 3, 1], "pages of {items}");
    }
    let size = PageSize::new(2).expect("a size");
    let page = store.rounds(&user("u"), &session("s"), None, size).await.expect("listed");
    save(&*store, None, "{}").await;
    let rest = store.rounds(&user("u"), &session("s"), page.next, size).await.expect("listed");
    assert_eq!(rest.items, [7, 3]);
}

/// Contract 6.
pub async fn deleted_states_are_gone(store: Arc<dyn StateStore>) {
    let (u, s) = (user("u"), session("s"));
    assert!(!store.delete_round(&u, &s, 1).await.expect("deleting nothing is not an error"));
    for _ in 0..3 {
        save(&*store, None, "{}").await;
    }
    assert!(store.delete_round(&u, &s, 3).await.expect("deleted"));
    assert!(!store.delete_round(&u, &s, 3).await.expect("deleted"));
    assert_eq!(rounds(&*store, 10).await, [2, 1]);
    assert_eq!(save(&*store, None, "{}").await, 3);
    store.save(&u, &session("t"), None, &Json::Null).await.expect("saved");
    store.save(&user("other"), &s, None, &Json::Null).await.expect("saved");
    assert_eq!(store.delete_session(&u, &s).await.expect("deleted"), 3);
    assert_eq!(export(&*store, None).await, None);
    assert_eq!(save(&*store, None, "{}").await, 1, "a new session counts from 1");
    assert_eq!(store.delete_user(&u).await.expect("deleted"), 2);
    assert_eq!(store.delete_user(&u).await.expect("deleted"), 0);
    assert!(store.export(&user("other"), &s, None).await.expect("readable").is_some());
}

/// Contract 7.
pub async fn users_never_meet(store: Arc<dyn StateStore>) {
    let ids = hostile_ids();
    for (number, u) in ids.iter().enumerate() {
        for (other, s) in ids.iter().enumerate().skip(number % 3).step_by(3) {
            let state = Json::from(format!("{number} {other}"));
            let round = store.save(&user(u), &session(s), None, &state).await.expect("saved");
            assert_eq!(round, 1, "{u:?} {s:?} is new");
        }
    }
    for (number, u) in ids.iter().enumerate() {
        for (other, s) in ids.iter().enumerate().skip(number % 3).step_by(3) {
            let (_, state) =
                store.export(&user(u), &session(s), None).await.expect("readable").expect("there");
            assert_eq!(state, Json::from(format!("{number} {other}")));
        }
    }
    store.delete_user(&user("*")).await.expect("deleted");
    let kept = store.export(&user(&ids[0]), &session(&ids[0]), None).await.expect("readable");
    assert!(kept.is_some(), "only that user's are gone");
}

/// Contract 7: too large.
pub async fn what_is_too_large_is_refused(store: Arc<dyn StateStore>) {
    let long = "x".repeat(MAX_ID_BYTES + 1);
    let huge = Json::from("x".repeat(StoreLimits::default().item_bytes));
    for refused in [
        store.save(&user(&long), &session("s"), None, &Json::Null).await,
        store.save(&user("u"), &session(&long), None, &Json::Null).await,
        store.save(&user("u"), &session("s"), None, &huge).await,
    ] {
        assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
    }
    assert_eq!(export(&*store, None).await, None);
}

/// The lifecycle's contract 3: acknowledged data survives a stop and a restart.
pub async fn a_restart_forgets_nothing(store: Arc<dyn StateStore>) {
    save(&*store, Some(7), "[7]").await;
    store.stop().await.expect("stopped");
    store.start().await.expect("started");
    assert_eq!(export(&*store, None).await, Some((7, "[7]".to_owned())));
    assert_eq!(save(&*store, None, "{}").await, 8);
}
