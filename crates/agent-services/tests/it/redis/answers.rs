//! Large answers and large numbers, and that searches agree with the reference backend to the last bit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use agent_schemas::{Json, Message, json};
use agent_services::limits::StoreLimits;
use agent_services::memory::{InMemoryMemoryStore, MemoryQuery, MemoryStore, Recalled};
use agent_services::page::PageSize;
use agent_services::redis::{RedisMemoryStore, RedisSessionStore, RedisStateStore};
use agent_services::session::{InMemorySessionStore, MessageBatch, SessionStore};
use agent_services::state::StateStore;
use agent_services::{ErrorKind, StoreContext};
use tokio::task::JoinSet;

use super::server::shared;
use super::{client, session, started, texts, user};

fn page(items: usize) -> PageSize {
    PageSize::new(items).expect("a size")
}

/// Texts of a megabyte, so that a page is read in several answers.
fn large(count: usize) -> Vec<Message> {
    (0..count).map(|number| Message::user(format!("large {number} {}", "x".repeat(1 << 20)))).collect()
}

fn first_words(text: &str) -> String {
    text.chars().take(8).collect::<String>().trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions__large__are_read_in_parts() {
    let store = started(RedisSessionStore::new(client(&shared().await), StoreContext::default())).await;
    let (u, s) = (user("u"), session("s"));
    for messages in large(15).chunks(5) {
        store.append(&u, &s, MessageBatch::of(messages).expect("JSON")).await.expect("appended");
    }
    let all: Vec<String> = (0..15).map(|number| format!("large {number}")).collect();
    let found: Vec<String> = texts(&store, "u", "s").await.iter().map(|text| first_words(text)).collect();
    assert_eq!(found, all);
    let last = store.last_messages(&u, &s, page(13)).await.expect("readable").expect("there");
    assert_eq!(last.iter().map(|stored| stored.position).collect::<Vec<_>>(), (2..15).collect::<Vec<_>>());
    let part = store.messages(&u, &s, 3, page(6)).await.expect("readable").expect("there");
    assert_eq!(part.iter().map(|stored| stored.position).collect::<Vec<_>>(), (3..9).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn session_list__large__is_read_in_parts() {
    let store = started(RedisSessionStore::new(client(&shared().await), StoreContext::default())).await;
    let u = user("u");
    for number in 0..12 {
        let id = session(&number.to_string());
        store.create(&u, Some(&id)).await.expect("made");
        let title = Some(Some("x".repeat(1 << 20)));
        let change = agent_services::session::SessionChange { title, metadata: None };
        store.change(&u, &id, change).await.expect("changed");
    }
    let listed = store.list(&u, None, page(100)).await.expect("listed").items;
    let expected: Vec<String> = (0..12).rev().map(|number| number.to_string()).collect();
    assert_eq!(listed.iter().map(|info| info.id.as_str()).collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn memories__large__are_read_in_parts() {
    let store = started(RedisMemoryStore::new(client(&shared().await), StoreContext::default())).await;
    let (u, s) = (user("u"), session("s"));
    for messages in large(12).chunks(4) {
        store.add(&u, &s, messages.to_vec()).await.expect("added");
    }
    let expected: Vec<String> = (0..12).rev().map(|number| format!("large {number}")).collect();
    for of_session in [None, Some(&s)] {
        let listed = store.list(&u, of_session, None, page(11)).await.expect("listed");
        let rest = store.list(&u, of_session, listed.next, page(11)).await.expect("listed");
        let found: Vec<String> = listed
            .items
            .iter()
            .chain(&rest.items)
            .map(|memory| first_words(&memory.message.full_text()))
            .collect();
        assert_eq!(found, expected);
    }
    let mut query = MemoryQuery::new("large");
    query.top_k = 11;
    let found = store.search(&u, &query).await.expect("searched");
    let found: Vec<String> =
        found.iter().map(|found| first_words(&found.memory.message.full_text())).collect();
    assert_eq!(found, expected[..11]);
}

/// Both backends count in the same way, so that a session that fits in one fits in the other.
#[tokio::test(flavor = "multi_thread")]
async fn session__above_limits__is_refused() {
    let mut limits = StoreLimits::default();
    (limits.session_messages, limits.session_bytes) = (3, 2000);
    let context = || StoreContext::default().with_limits(limits);
    let redis = started(RedisSessionStore::new(client(&shared().await), context())).await;
    check_limits(&redis).await;
    check_limits(&started(InMemorySessionStore::new(context())).await).await;
}

async fn check_limits(store: &dyn SessionStore) {
    let (u, s) = (user("u"), session("s"));
    let append = async |s: &str, ids: &[&str], size: usize, skips: bool| {
        let message = |id: &&str| {
            let mut message = Message::user("x".repeat(size));
            message.id = (*id).to_owned();
            message
        };
        let maybe_known = if skips { ids.len() } else { 0 };
        let batch = MessageBatch::of(&ids.iter().map(message).collect::<Vec<_>>()).expect("JSON");
        let batch = MessageBatch { maybe_known, ..batch };
        store
            .append(&u, &session(s), batch)
            .await
            .map(|appended| appended.count)
            .map_err(|error| error.to_string())
    };
    let refused = |result: Result<u64, String>, words: &str| {
        let message = result.expect_err("refused");
        assert!(message.contains(words), "{message}");
    };
    assert_eq!(append("s", &["a", "b"], 10, false).await, Ok(2));
    refused(append("s", &["c", "d"], 10, false).await, "4 messages, and the limit is 3");
    assert_eq!(append("s", &["a", "b", "c"], 10, true).await, Ok(1), "skipped messages do not count");
    for _ in 0..5 {
        assert_eq!(append("s", &["a", "b", "c"], 10, true).await, Ok(0), "nor does it add up");
    }
    refused(append("new", &["a"], 2000, false).await, "bytes, and the limit is 2000");
    assert_eq!(store.get(&u, &session("new")).await.expect("readable"), None);
    assert_eq!(store.get(&u, &s).await.expect("readable").expect("there").message_count, 3);
}

/// Beyond what a float holds exactly.
#[tokio::test(flavor = "multi_thread")]
async fn round__beyond_float_precision__is_exact() {
    let store = started(RedisStateStore::new(client(&shared().await), StoreContext::default())).await;
    let (u, s) = (user("u"), session("s"));
    let save = async |round| store.save(&u, &s, round, &Json::Null).await;
    let great = (1 << 53) + 1;
    for (round, next) in
        [(9, 10), (99, 100), (199_999, 200_000), (great, great + 1), (u64::MAX - 1, u64::MAX)]
    {
        assert_eq!(save(Some(round)).await.expect("saved"), round);
        assert_eq!(save(None).await.expect("saved"), next);
    }
    assert_eq!(save(None).await.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
    let rounds = store.rounds(&u, &s, None, page(4)).await.expect("listed");
    assert_eq!(rounds.items, [u64::MAX, u64::MAX - 1, great + 1, great]);
    let rest = store.rounds(&u, &s, rounds.next, page(4)).await.expect("listed");
    assert_eq!(rest.items, [200_000, 199_999, 100, 99]);
    assert!(store.delete_round(&u, &s, u64::MAX).await.expect("deleted"));
    assert_eq!(store.export(&u, &s, None).await.expect("readable").expect("there").0, u64::MAX - 1);
}

/// Data that could not be read again is not stored.
#[tokio::test(flavor = "multi_thread")]
async fn state__too_deep__is_refused() {
    let store = started(RedisStateStore::new(client(&shared().await), StoreContext::default())).await;
    let deep = |depth: usize| {
        let text = format!("{}\"[[\\\"[\"{}", "[".repeat(depth), "]".repeat(depth));
        json::parse_with_depth(&text, depth).expect("JSON")
    };
    let (u, s) = (user("u"), session("s"));
    assert_eq!(store.save(&u, &s, None, &deep(128)).await.expect("saved"), 1);
    assert_eq!(store.export(&u, &s, None).await.expect("readable"), Some((1, deep(128))));
    let refused = store.save(&u, &s, None, &deep(129)).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::InvalidInput));
}

/// The same texts in both backends.
struct Pair {
    redis: RedisMemoryStore,
    reference: InMemoryMemoryStore,
}

impl Pair {
    async fn new() -> Pair {
        let redis = RedisMemoryStore::new(client(&shared().await), StoreContext::default());
        Pair { redis: started(redis).await, reference: started(InMemoryMemoryStore::default()).await }
    }

    async fn add(&self, s: &str, texts: &[String]) -> Vec<(u64, u64)> {
        let messages: Vec<Message> = texts.iter().map(Message::user).collect();
        let numbers = self.redis.add(&user("u"), &session(s), messages.clone()).await.expect("added");
        let expected = self.reference.add(&user("u"), &session(s), messages).await.expect("added");
        numbers.into_iter().zip(expected).collect()
    }

    async fn check(&self, query: &MemoryQuery) {
        let results = |found: Vec<Recalled>| -> Vec<(String, u64)> {
            found.into_iter().map(|found| (found.memory.message.full_text(), found.score.to_bits())).collect()
        };
        let found = results(self.redis.search(&user("u"), query).await.expect("searched"));
        let expected = results(self.reference.search(&user("u"), query).await.expect("searched"));
        assert_eq!(found, expected, "{query:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search__scores__equal_the_in_memory_store() {
    const WORDS: &[&str] = &["apple", "pear", "Ünï", "咖啡馆", "the", "the", "the", "a", "x1", "커피"];
    // A small generator of pseudorandom numbers, the same ones each time.
    let mut state = 42_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % below
    };
    let pair = Pair::new().await;
    let mut numbers = Vec::new();
    for round in 0..40 {
        let texts: Vec<String> = (0..random(5))
            .map(|_| (0..random(12)).map(|_| WORDS[random(WORDS.len())]).collect::<Vec<_>>().join(" "))
            .collect();
        numbers.extend(pair.add(["s", "t"][round % 2], &texts).await);
        for _ in 0..random(3).min(numbers.len()) {
            let (number, expected) = numbers.swap_remove(random(numbers.len()));
            assert!(pair.redis.delete(&user("u"), number).await.expect("deleted"));
            assert!(pair.reference.delete(&user("u"), expected).await.expect("deleted"));
        }
        let text = (0..1 + random(4)).map(|_| WORDS[random(WORDS.len())]).collect::<Vec<_>>().join(" ");
        let mut query = MemoryQuery::new(text);
        query.top_k = 1 + random(20);
        query.session_id = (random(3) == 0).then(|| session("s"));
        query.min_score = [0.0, 0.5, 1.0][random(3)];
        pair.check(&query).await;
    }
    assert_eq!(pair.redis.delete_session(&user("u"), &session("s")).await.expect("deleted"), {
        pair.reference.delete_session(&user("u"), &session("s")).await.expect("deleted")
    });
    pair.check(&MemoryQuery::new("the apple 咖啡")).await;
}

/// The number of texts with the common word, more than the postings of one answer.
const MANY: u32 = 25_000;
/// How many more are added and removed.
const MORE: u32 = 200;

/// Whether this is the score, at some moment, of a text of two words, a common and a unique one: the sum of their idf,
/// because all texts have the same length.
fn is_possible(score: f64) -> bool {
    let idf = |texts: f64, found: f64| (1.0 + (texts - found + 0.5) / (found + 0.5)).ln();
    let mut moments = (MANY..=MANY + MORE).map(f64::from);
    moments.any(|texts| (idf(texts, texts) + idf(texts, 1.0) - score).abs() < 1e-8)
}

/// More postings than fit in one answer, and texts that are added and deleted while they are read.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn search__concurrent_changes__sees_one_snapshot() {
    let pair = Arc::new(Pair::new().await);
    for part in 0..5 {
        let texts: Vec<String> = (0..MANY / 5).map(|number| format!("common n{part}x{number}")).collect();
        pair.add("s", &texts).await;
    }
    let query = MemoryQuery::new("n3x77 common");
    pair.check(&query).await;
    let mut filtered = MemoryQuery::new("common");
    filtered.session_id = Some(session("other"));
    pair.check(&filtered).await;

    let is_over = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    let (writer, over) = (Arc::clone(&pair), Arc::clone(&is_over));
    writers.spawn(async move {
        while !over.load(Ordering::Relaxed) {
            let mut added = Vec::new();
            for _ in 0..MORE {
                let message = vec![Message::user("common extra")];
                added.extend(writer.redis.add(&user("u"), &session("t"), message).await.expect("added"));
            }
            while let Some(number) = added.pop() {
                writer.redis.delete(&user("u"), number).await.expect("deleted");
            }
        }
    });
    let mut seen = BTreeSet::new();
    for search in 0.. {
        let found = pair.redis.search(&user("u"), &query).await.expect("searched");
        let score = found[0].score;
        assert!(is_possible(score), "{score} is the score of no moment");
        seen.insert(score.to_bits());
        if search >= 10 && seen.len() > 3 {
            break;
        }
    }
    is_over.store(true, Ordering::Relaxed);
    writers.join_all().await;
    pair.check(&query).await;
}
