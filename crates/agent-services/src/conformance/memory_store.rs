//! The contract of [`MemoryStore`], line by line.
//!
//! A broken promise panics, like a test's assertion.
#![expect(clippy::missing_panics_doc, reason = "panicking is how these functions report")]

use std::collections::BTreeSet;
use std::sync::Arc;

use agent_schemas::{Content, ContentBody, Message, MessageType, object};

use super::{at_once, hostile_ids, lifecycle, session, user};
use crate::ErrorKind;
use crate::limits::{MAX_ID_BYTES, StoreLimits};
use crate::memory::{Memory, MemoryQuery, MemoryStore, Recalled};
use crate::page::PageSize;

/// Creates one test per line of the contract, for the store that an async expression returns.
#[macro_export]
macro_rules! memory_store_conformance {
    ($make:expr) => {
        $crate::conformance_tests!(memory_store, $make;
            lives_and_ends adds_keep_order adds_at_once_lose_nothing the_best_comes_first
            words_are_found_in_every_script other_users_move_nothing filters_narrow_and_do_not_rescore
            odd_messages_break_nothing lists_are_stable_under_writers deleted_memories_are_gone users_never_meet
            what_is_out_of_bounds_is_refused a_restart_forgets_nothing);
    };
}

async fn add(store: &dyn MemoryStore, u: &str, s: &str, texts: &[&str]) -> Vec<u64> {
    let messages = texts.iter().map(|text| Message::user(*text)).collect();
    store.add(&user(u), &session(s), messages).await.expect("added")
}

async fn search(store: &dyn MemoryStore, u: &str, query: &MemoryQuery) -> Vec<Recalled> {
    store.search(&user(u), query).await.expect("searched")
}

fn texts(found: &[Recalled]) -> Vec<String> {
    found.iter().map(|recalled| recalled.memory.message.full_text()).collect()
}

async fn found(store: &dyn MemoryStore, u: &str, query: &str) -> Vec<String> {
    texts(&search(store, u, &MemoryQuery::new(query)).await)
}

async fn listed(store: &dyn MemoryStore, u: &str, s: Option<&str>, items: usize) -> Vec<Memory> {
    let (mut after, mut all) = (None, Vec::new());
    let size = PageSize::new(items).expect("a size");
    loop {
        let s = s.map(session);
        let page = store.list(&user(u), s.as_ref(), after, size).await.expect("listed");
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn words(memories: &[Memory]) -> Vec<String> {
    memories.iter().map(|memory| memory.message.full_text()).collect()
}

/// The contract of [`Service`](crate::Service), and that calls after the stop are rejected.
pub async fn lives_and_ends(store: Arc<dyn MemoryStore>) {
    lifecycle::start_and_stop_can_be_repeated(&*store).await;
    lifecycle::health_follows_the_lifecycle(&*store).await;
    let refused = store.delete_user(&user("u")).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::Unavailable));
}

/// Contract 1.
pub async fn adds_keep_order(store: Arc<dyn MemoryStore>) {
    let first = add(&*store, "u", "s", &["a", "b"]).await;
    let second = add(&*store, "u", "t", &["c"]).await;
    assert!(first[0] < first[1] && first[1] < second[0]);
    assert!(add(&*store, "u", "s", &[]).await.is_empty());
    let all = listed(&*store, "u", None, 10).await;
    assert_eq!(words(&all), ["c", "b", "a"]);
    assert_eq!(all.iter().map(|memory| memory.session_id.as_str()).collect::<Vec<_>>(), ["t", "s", "s"]);
    assert_eq!(all.iter().map(|memory| memory.number).collect::<Vec<_>>(), [second[0], first[1], first[0]]);
}

/// Contract 1, with many writers.
pub async fn adds_at_once_lose_nothing(store: Arc<dyn MemoryStore>) {
    let writers = (0..30).map(|writer| {
        let store = Arc::clone(&store);
        async move {
            let mut numbers = Vec::new();
            for _ in 0..5 {
                numbers.extend(add(&*store, "u", "s", &[&format!("same writer{writer}")]).await);
            }
            assert!(numbers.is_sorted());
            numbers
        }
    });
    let numbers: BTreeSet<u64> = at_once(writers).await.into_iter().flatten().collect();
    assert_eq!(numbers.len(), 150, "numbers are unique");
    assert_eq!(listed(&*store, "u", None, 1000).await.len(), 150);
    assert_eq!(found(&*store, "u", "writer7").await.len(), 5);
    let mut query = MemoryQuery::new("same");
    query.top_k = 1000;
    assert_eq!(search(&*store, "u", &query).await.len(), 150);
}

/// Contract 2.
pub async fn the_best_comes_first(store: Arc<dyn MemoryStore>) {
    assert!(found(&*store, "u", "cat").await.is_empty());
    let all = ["a cat", "a dog and a cat and a bird", "dogs", "cat cat", "a cat"];
    add(&*store, "u", "s", &all).await;
    assert_eq!(
        found(&*store, "u", "CAT?").await,
        ["cat cat", "a cat", "a cat", "a dog and a cat and a bird"]
    );
    let both = search(&*store, "u", &MemoryQuery::new("cat dog")).await;
    assert_eq!(both[0].memory.message.full_text(), "a dog and a cat and a bird");
    let equal = search(&*store, "u", &MemoryQuery::new("cat")).await;
    assert!(equal.is_sorted_by(|better, worse| better.score >= worse.score));
    assert_eq!(equal[1].score.to_bits(), equal[2].score.to_bits());
    assert!(equal[1].memory.number > equal[2].memory.number, "the newest of equal ones first");
    assert!(found(&*store, "u", "").await.is_empty() && found(&*store, "u", "?!").await.is_empty());
}

/// Contract 2.
pub async fn words_are_found_in_every_script(store: Arc<dyn MemoryStore>) {
    let all = ["我喜欢喝咖啡", "コーヒーが好きです", "저는 커피를 좋아해요", "Crème brûlée", "Привет, МИР"];
    add(&*store, "u", "s", &all).await;
    let queries = [("咖啡", 0), ("コーヒー", 1), ("커피", 2), ("creme", 3), ("BRÛLÉE", 3), ("мир", 4)];
    for (query, expected) in queries {
        assert_eq!(found(&*store, "u", query).await, [all[expected]], "{query}");
    }
}

/// Contract 3.
pub async fn other_users_move_nothing(store: Arc<dyn MemoryStore>) {
    add(&*store, "u", "s", &["red apple", "green apple", "green pear"]).await;
    let before = search(&*store, "u", &MemoryQuery::new("green apple")).await;
    for _ in 0..20 {
        add(&*store, "other", "s", &["green green green", "apple"]).await;
    }
    assert_eq!(search(&*store, "u", &MemoryQuery::new("green apple")).await, before);
}

/// Contract 4.
pub async fn filters_narrow_and_do_not_rescore(store: Arc<dyn MemoryStore>) {
    add(&*store, "u", "s", &["apple pie", "apple"]).await;
    add(&*store, "u", "t", &["apple tart with apple", "pear"]).await;
    let all = search(&*store, "u", &MemoryQuery::new("apple")).await;
    assert_eq!(all.len(), 3);
    let narrowed = async |narrow: &dyn Fn(&mut MemoryQuery)| {
        let mut query = MemoryQuery::new("apple");
        narrow(&mut query);
        search(&*store, "u", &query).await
    };
    assert_eq!(narrowed(&|query| query.top_k = 2).await, all[..2]);
    assert_eq!(narrowed(&|query| query.min_score = all[1].score).await, all[..2]);
    assert!(narrowed(&|query| query.min_score = all[0].score + 0.1).await.is_empty());
    let of_s: Vec<_> = all.iter().filter(|found| found.memory.session_id == session("s")).cloned().collect();
    assert_eq!(narrowed(&|query| query.session_id = Some(session("s"))).await, of_s);
    assert!(narrowed(&|query| query.session_id = Some(session("no"))).await.is_empty());
    let now = all[0].memory.created_at;
    assert_eq!(narrowed(&|query| query.since = Some(now - 100)).await.len(), 3);
    assert!(narrowed(&|query| query.since = Some(now + 1000)).await.is_empty());
    assert!(narrowed(&|query| query.until = Some(now - 100)).await.is_empty());
    assert_eq!(narrowed(&|query| query.until = Some(now + 1000)).await.len(), 3);
}

/// Contract 5.
pub async fn odd_messages_break_nothing(store: Arc<dyn MemoryStore>) {
    let mut odd =
        vec![Message::new("", MessageType::Message), Message::user(""), Message::user("?! 👋\u{0}")];
    let mut several = Message::new("m", MessageType::from("of_tomorrow"));
    several.content = Some(vec![
        Content::new(ContentBody::Text { text: None }),
        Content::data(object! { "text" => "hidden" }),
        Content::image("hidden.png"),
        Content::text("first"),
        Content::text("second"),
    ]);
    odd.push(several);
    store.add(&user("u"), &session("s"), odd.clone()).await.expect("added");
    add(&*store, "u", "s", &["first of all"]).await;
    assert_eq!(found(&*store, "u", "hidden").await, [""; 0]);
    assert_eq!(found(&*store, "u", "second").await, ["firstsecond"]);
    assert_eq!(found(&*store, "u", "first").await.len(), 2);
    let all = listed(&*store, "u", None, 10).await;
    let kept: Vec<_> = all.iter().rev().take(4).map(|memory| memory.message.clone()).collect();
    assert_eq!(kept, odd, "they are stored unchanged");
}

/// Contract 6.
pub async fn lists_are_stable_under_writers(store: Arc<dyn MemoryStore>) {
    assert!(listed(&*store, "u", None, 3).await.is_empty());
    for number in 0..5 {
        add(&*store, "u", "s", &[&format!("s{number}")]).await;
        add(&*store, "u", "t", &[&format!("t{number}")]).await;
    }
    for items in [1, 3, 10, 11] {
        assert_eq!(words(&listed(&*store, "u", Some("s"), items).await), ["s4", "s3", "s2", "s1", "s0"]);
        assert_eq!(listed(&*store, "u", None, items).await.len(), 10);
    }
    let size = PageSize::new(2).expect("a size");
    let page = store.list(&user("u"), None, None, size).await.expect("listed");
    add(&*store, "u", "s", &["new"]).await;
    let rest = store.list(&user("u"), None, page.next, size).await.expect("listed");
    assert_eq!(words(&rest.items), ["t3", "s3"]);
}

/// Contract 7.
pub async fn deleted_memories_are_gone(store: Arc<dyn MemoryStore>) {
    let numbers = add(&*store, "u", "s", &["apple", "apple pie"]).await;
    add(&*store, "u", "t", &["apple tart"]).await;
    add(&*store, "other", "s", &["apple"]).await;
    assert!(store.delete(&user("u"), numbers[1]).await.expect("deleted"));
    assert!(!store.delete(&user("u"), numbers[1]).await.expect("deleted"));
    assert!(!store.delete(&user("nobody"), numbers[0]).await.expect("deleted"));
    assert_eq!(found(&*store, "u", "pie").await, [""; 0]);
    // The remaining memories score as if the others had never existed.
    add(&*store, "same", "s", &["apple"]).await;
    add(&*store, "same", "t", &["apple tart"]).await;
    let scores = |found: Vec<Recalled>| found.iter().map(|found| found.score).collect::<Vec<_>>();
    let query = MemoryQuery::new("apple");
    assert_eq!(scores(search(&*store, "u", &query).await), scores(search(&*store, "same", &query).await));
    assert_eq!(store.delete_session(&user("u"), &session("t")).await.expect("deleted"), 1);
    assert_eq!(found(&*store, "u", "apple").await, ["apple"]);
    assert_eq!(store.delete_session(&user("u"), &session("t")).await.expect("deleted"), 0);
    let later = add(&*store, "u", "s", &["pear"]).await;
    assert!(later[0] > numbers[1], "no number is reused");
    assert_eq!(store.delete_user(&user("u")).await.expect("deleted"), 2);
    assert_eq!(store.delete_user(&user("u")).await.expect("deleted"), 0);
    assert!(listed(&*store, "u", None, 10).await.is_empty());
    assert_eq!(found(&*store, "other", "apple").await, ["apple"]);
}

/// Contract 8.
pub async fn users_never_meet(store: Arc<dyn MemoryStore>) {
    let ids = hostile_ids();
    for (number, u) in ids.iter().enumerate() {
        for (other, s) in ids.iter().enumerate().skip(number % 3).step_by(3) {
            add(&*store, u, s, &[&format!("apple u{number}s{other}")]).await;
        }
    }
    for (number, u) in ids.iter().enumerate() {
        let mut query = MemoryQuery::new("apple");
        query.top_k = 1000;
        let all = search(&*store, u, &query).await;
        assert_eq!(all.len(), ids.iter().skip(number % 3).step_by(3).count(), "{u:?}");
        for (other, s) in ids.iter().enumerate().skip(number % 3).step_by(3) {
            let own = listed(&*store, u, Some(s), 10).await;
            assert_eq!(words(&own), [format!("apple u{number}s{other}")], "{u:?} {s:?}");
        }
    }
    store.delete_user(&user("*")).await.expect("deleted");
    assert!(!found(&*store, &ids[0], "apple").await.is_empty(), "only that user's are gone");
}

/// Contract 8: out of bounds.
pub async fn what_is_out_of_bounds_is_refused(store: Arc<dyn MemoryStore>) {
    let long = "x".repeat(MAX_ID_BYTES + 1);
    let huge = Message::user("x".repeat(StoreLimits::default().item_bytes));
    let mut none = MemoryQuery::new("a");
    none.top_k = 0;
    let mut many = MemoryQuery::new("a");
    many.top_k = 1001;
    let mut odd = MemoryQuery::new("a");
    odd.min_score = f64::NAN;
    let kinds = [
        store.add(&user(&long), &session("s"), vec![]).await.map(drop),
        store.add(&user("u"), &session(&long), vec![]).await.map(drop),
        store.add(&user("u"), &session("s"), vec![Message::user("a"), huge]).await.map(drop),
        store.search(&user("u"), &none).await.map(drop),
        store.search(&user("u"), &many).await.map(drop),
        store.search(&user("u"), &odd).await.map(drop),
    ];
    for kind in kinds {
        assert_eq!(kind.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
    }
    assert!(listed(&*store, "u", None, 10).await.is_empty());
}

/// The lifecycle's contract 3: acknowledged data survives a stop and a restart.
pub async fn a_restart_forgets_nothing(store: Arc<dyn MemoryStore>) {
    add(&*store, "u", "s", &["red apple", "pear"]).await;
    let before = search(&*store, "u", &MemoryQuery::new("apple")).await;
    store.stop().await.expect("stopped");
    store.start().await.expect("started");
    assert_eq!(search(&*store, "u", &MemoryQuery::new("apple")).await, before);
    assert_eq!(words(&listed(&*store, "u", None, 10).await), ["pear", "red apple"]);
}
