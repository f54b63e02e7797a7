//! The contract of [`SessionStore`], line by line.
//!
//! A broken promise panics, like a test's assertion.
#![expect(clippy::missing_panics_doc, reason = "panicking is how these functions report")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{Content, Json, Message, MessageType, Role, Status, object};
use bytes::Bytes;

use super::{at_once, hostile_ids, lifecycle, session, user};
use crate::ErrorKind;
use crate::limits::{MAX_ID_BYTES, StoreLimits};
use crate::page::PageSize;
use crate::retention::Retention;
use crate::session::{
    Appended, EncodedMessage, MessageBatch, SessionChange, SessionInfo, SessionStore, StoredMessage,
};

/// Creates one test per line of the contract, for the store that an async expression returns. The second expression is
/// a closure that creates a store with another retention.
#[macro_export]
macro_rules! session_store_conformance {
    ($make:expr, $make_with_retention:expr) => {
        $crate::conformance_tests!(session_store, $make;
            lives_and_ends create_keeps_what_is_there get_tells_without_messages append_keeps_order
            append_is_all_or_nothing batch_keys_are_stored_once known_messages_are_skipped many_writers_lose_nothing
            positions_name_messages long_sessions_are_read_in_parts messages_come_back_as_they_were
            lists_are_stable_under_writers changes_are_kept deleted_sessions_are_gone deletes_race_with_appends
            deleted_messages_are_gone deleted_messages_leave_gaps
            users_never_meet long_ids_are_refused a_restart_forgets_nothing);

        $crate::conformance_tests!(session_store, $make_with_retention($crate::conformance::session_store::FORGOTTEN);
            sweep_forgets_anonymous_sessions);
        $crate::conformance_tests!(session_store, $make_with_retention($crate::conformance::session_store::TOO_MUCH);
            sweep_keeps_named_sessions);
    };
}

/// How long the store for [`sweep_forgets_anonymous_sessions`] has to keep anonymous sessions.
pub const FORGOTTEN: Retention = Retention { age: Duration::ZERO, bytes: 1 << 30 };

/// The retention for [`sweep_keeps_named_sessions`]: hardly any anonymous sessions are kept.
pub const TOO_MUCH: Retention = Retention { age: Duration::from_secs(60 * 60), bytes: 1 };

fn text(id: &str, text: &str) -> Message {
    let mut message = Message::user(text);
    message.id = id.to_owned();
    message
}

fn encoded(messages: &[Message]) -> MessageBatch {
    MessageBatch::of(messages).expect("messages have a JSON form")
}

fn batch(texts: &[&str]) -> MessageBatch {
    encoded(&texts.iter().map(|t| text("", t)).collect::<Vec<_>>())
}

fn size(items: usize) -> PageSize {
    PageSize::new(items).expect("a size")
}

fn texts(messages: &[StoredMessage]) -> Vec<String> {
    messages.iter().map(|stored| stored.message.full_text()).collect()
}

async fn all(store: &dyn SessionStore, u: &str, s: &str) -> Vec<StoredMessage> {
    let mut messages = Vec::new();
    loop {
        let from = messages.len() as u64;
        let page = store.messages(&user(u), &session(s), from, size(1000)).await.expect("readable");
        let page = page.unwrap_or_default();
        for (offset, stored) in page.iter().enumerate() {
            assert_eq!(stored.position, from + offset as u64, "positions have no gaps");
        }
        if page.is_empty() {
            return messages;
        }
        messages.extend(page);
    }
}

async fn count(store: &dyn SessionStore, u: &str, s: &str) -> Option<u64> {
    store.get(&user(u), &session(s)).await.expect("readable").map(|info| info.message_count)
}

async fn listed(store: &dyn SessionStore, u: &str, items: usize) -> Vec<SessionInfo> {
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = store.list(&user(u), after, size(items)).await.expect("listed");
        assert!(page.items.len() <= items);
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// The contract of [`Service`](crate::Service), and that calls after the stop are rejected.
pub async fn lives_and_ends(store: Arc<dyn SessionStore>) {
    lifecycle::start_and_stop_can_be_repeated(&*store).await;
    lifecycle::health_follows_the_lifecycle(&*store).await;
    let refused = store.get(&user("u"), &session("s")).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::Unavailable));
}

/// Contract 1.
pub async fn create_keeps_what_is_there(store: Arc<dyn SessionStore>) {
    let first = store.create(&user("u"), Some(&session("s"))).await.expect("made");
    assert_eq!((first.id.as_str(), first.user_id.as_str(), first.message_count), ("s", "u", 0));
    store.append(&user("u"), &session("s"), batch(&["a"])).await.expect("appended");
    let again = store.create(&user("u"), Some(&session("s"))).await.expect("kept");
    assert_eq!((again.message_count, again.created_at, again.number), (1, first.created_at, first.number));
    let fresh = store.create(&user("u"), None).await.expect("made");
    let other = store.create(&user("u"), None).await.expect("made");
    assert!(!fresh.id.as_str().is_empty() && fresh.id != other.id);
}

/// Contract 2.
pub async fn get_tells_without_messages(store: Arc<dyn SessionStore>) {
    assert_eq!(store.get(&user("u"), &session("s")).await.expect("readable"), None);
    let made = store.create(&user("u"), Some(&session("s"))).await.expect("made");
    assert_eq!(store.get(&user("u"), &session("s")).await.expect("readable"), Some(made));
    assert!(store.messages(&user("u"), &session("t"), 0, size(1)).await.expect("readable").is_none());
    assert!(store.last_messages(&user("u"), &session("t"), size(1)).await.expect("readable").is_none());
}

/// Contract 3.
pub async fn append_keeps_order(store: Arc<dyn SessionStore>) {
    let appended = store.append(&user("u"), &session("s"), batch(&["a", "b"])).await.expect("appended");
    assert_eq!(appended, Appended { first: 0, count: 2 });
    let appended = store.append(&user("u"), &session("s"), batch(&["c"])).await.expect("appended");
    assert_eq!(appended, Appended { first: 2, count: 1 });
    let nothing = store.append(&user("u"), &session("s"), batch(&[])).await.expect("appended");
    assert_eq!(nothing, Appended { first: 3, count: 0 });
    assert_eq!(texts(&all(&*store, "u", "s").await), ["a", "b", "c"]);
    let info =
        store.get(&user("u"), &session("s")).await.expect("readable").expect("append creates the session");
    assert_eq!(info.message_count, 3);
    assert!(info.updated_at >= info.created_at);
}

/// Contract 12.
pub async fn append_is_all_or_nothing(store: Arc<dyn SessionStore>) {
    store.append(&user("u"), &session("s"), batch(&["a"])).await.expect("appended");
    let huge = "x".repeat(StoreLimits::default().item_bytes);
    let refused = store.append(&user("u"), &session("s"), batch(&["b", &huge])).await.map_err(|e| e.kind());
    assert_eq!(refused, Err(ErrorKind::InvalidInput));
    let refused = store.append(&user("u"), &session("new"), batch(&[&huge])).await.map_err(|e| e.kind());
    assert_eq!(refused, Err(ErrorKind::InvalidInput));
    assert_eq!(texts(&all(&*store, "u", "s").await), ["a"]);
    assert_eq!(count(&*store, "u", "new").await, None, "a rejected append creates no session");
}

/// Contract 4.
pub async fn batch_keys_are_stored_once(store: Arc<dyn SessionStore>) {
    let keyed = |key: &str, word: &str| MessageBatch { key: Some(key.to_owned()), ..batch(&[word]) };
    for (key, word, counted) in [("1", "a", 1), ("1", "again", 0), ("2", "b", 1), ("", "c", 1), ("", "d", 0)]
    {
        let appended = store.append(&user("u"), &session("s"), keyed(key, word)).await.expect("acknowledged");
        assert_eq!(appended.count, counted, "{key:?} {word}");
    }
    store.append(&user("u"), &session("other"), keyed("1", "e")).await.expect("a key of another session");
    assert_eq!(texts(&all(&*store, "u", "s").await), ["a", "b", "c"]);
    assert_eq!(texts(&all(&*store, "u", "other").await), ["e"]);
    let same =
        (0..20).map(|_| {
            let store = Arc::clone(&store);
            async move {
                store.append(&user("u"), &session("s"), keyed("3", "f")).await.expect("acknowledged").count
            }
        });
    assert_eq!(at_once(same).await.iter().sum::<u64>(), 1, "twenty repetitions at once store one");
}

/// Contract 5.
pub async fn known_messages_are_skipped(store: Arc<dyn SessionStore>) {
    let batch = |ids: &[&str]| {
        let messages: Vec<Message> = ids.iter().map(|id| text(id, id)).collect();
        MessageBatch { maybe_known: ids.len(), ..encoded(&messages) }
    };
    for (ids, stored) in [(&["1", "2", ""][..], 3), (&["2", "3", "3", ""], 2), (&["1"], 0)] {
        let appended = store.append(&user("u"), &session("s"), batch(ids)).await.expect("appended");
        assert_eq!(appended.count, stored, "{ids:?}");
    }
    assert_eq!(texts(&all(&*store, "u", "s").await), ["1", "2", "", "3", ""]);
    let twice = MessageBatch { maybe_known: 1, ..batch(&["1", "2", "4"]) };
    assert_eq!(store.append(&user("u"), &session("s"), twice).await.expect("appended").count, 2);
    assert_eq!(texts(&all(&*store, "u", "s").await)[5..], ["2", "4"]);
}

/// Contract 6.
pub async fn many_writers_lose_nothing(store: Arc<dyn SessionStore>) {
    let writers = (0..100).map(|writer| {
        let store = Arc::clone(&store);
        async move {
            for number in 0..5 {
                let message = format!("{writer} {number}");
                store.append(&user("u"), &session("s"), batch(&[&message])).await.expect("appended");
            }
        }
    });
    at_once(writers).await;
    let found = texts(&all(&*store, "u", "s").await);
    assert_eq!(found.len(), 500);
    assert_eq!(count(&*store, "u", "s").await, Some(500));
    for writer in 0..100 {
        let start = format!("{writer} ");
        let own: Vec<_> = found.iter().filter_map(|text| text.strip_prefix(&start)).collect();
        assert_eq!(own, ["0", "1", "2", "3", "4"], "writer {writer}");
    }
}

/// Contract 7.
pub async fn positions_name_messages(store: Arc<dyn SessionStore>) {
    store.append(&user("u"), &session("s"), batch(&["a", "b", "c", "d", "e"])).await.expect("appended");
    let (u, s) = (user("u"), session("s"));
    for (from, items, expected) in
        [(0, 2, &["a", "b"][..]), (3, 9, &["d", "e"]), (5, 1, &[]), (u64::MAX, 1, &[])]
    {
        let found = store.messages(&u, &s, from, size(items)).await.expect("readable").expect("there");
        assert_eq!(texts(&found), expected, "{items} from {from}");
        assert!(found.first().is_none_or(|stored| stored.position == from));
    }
    for (items, expected) in [(2, &["d", "e"][..]), (1000, &["a", "b", "c", "d", "e"])] {
        let found = store.last_messages(&u, &s, size(items)).await.expect("readable").expect("there");
        assert_eq!(texts(&found), expected, "the last {items}");
        assert_eq!(found.last().map(|stored| stored.position), Some(4));
    }
}

/// Contract 7, with 10,000 messages.
pub async fn long_sessions_are_read_in_parts(store: Arc<dyn SessionStore>) {
    for first in (0..10_000).step_by(500) {
        let messages: Vec<Message> =
            (first..first + 500).map(|number| text("", &number.to_string())).collect();
        store.append(&user("u"), &session("s"), encoded(&messages)).await.expect("appended");
    }
    let expected: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    assert_eq!(texts(&all(&*store, "u", "s").await), expected);
    let last =
        store.last_messages(&user("u"), &session("s"), size(50)).await.expect("readable").expect("there");
    assert_eq!(texts(&last), expected[9950..]);
}

/// Contract 7: no part of a message is lost.
pub async fn messages_come_back_as_they_were(store: Arc<dyn SessionStore>) {
    let mut message = Message::new("msg_1", MessageType::from("of_tomorrow"));
    message.role = Some(Role::Tool);
    let number = agent_schemas::json::parse("123456789012345678901234567890.10").expect("JSON");
    let data = object! { "z" => number, "a" => Json::Null, "ü\u{0}\u{2028}" => "👩‍👩‍👧" };
    message.content = Some(vec![Content::data(data.clone()), Content::text("\u{0}\"\\\u{10ffff}")]);
    message.metadata = Some(data);
    let empty = Message::new("", MessageType::Message);
    // As in a run's output, the JSON already exists.
    let json =
        r#"{"id":"msg_2","sequence_number":7,"status":"completed","object":"message","type":"message"}"#;
    let mut written = Message::new("msg_2", MessageType::Message);
    (written.sequence_number, written.status) = (Some(7), Status::Completed);
    let mut batch = encoded(&[message.clone(), empty.clone()]);
    batch
        .messages
        .push(EncodedMessage::from_json("msg_2", Bytes::from_static(json.as_bytes())).expect("taken"));
    store.append(&user("u"), &session("s"), batch).await.expect("appended");
    let found = all(&*store, "u", "s").await;
    assert_eq!(found.iter().map(|stored| &stored.message).collect::<Vec<_>>(), [&message, &empty, &written]);
    let keys: Vec<_> = found[0].message.metadata.iter().flat_map(|data| data.keys()).collect();
    assert_eq!(keys, ["z", "a", "ü\u{0}\u{2028}"], "the order of keys is kept");
}

/// Contract 8.
pub async fn lists_are_stable_under_writers(store: Arc<dyn SessionStore>) {
    assert!(listed(&*store, "u", 3).await.is_empty());
    for number in 0..10 {
        store.create(&user("u"), Some(&session(&number.to_string()))).await.expect("made");
    }
    store.create(&user("other"), Some(&session("x"))).await.expect("made");
    let newest_first: Vec<String> = (0..10).rev().map(|number| number.to_string()).collect();
    for items in [1, 3, 5, 10, 11] {
        let ids: Vec<String> =
            listed(&*store, "u", items).await.iter().map(|info| info.id.as_str().to_owned()).collect();
        assert_eq!(ids, newest_first, "pages of {items}");
    }
    let page = store.list(&user("u"), None, size(4)).await.expect("listed");
    store.append(&user("u"), &session("2"), batch(&["a"])).await.expect("appended");
    store.create(&user("u"), Some(&session("new"))).await.expect("made");
    store.delete(&user("u"), &session("3")).await.expect("deleted");
    let rest = store.list(&user("u"), page.next, size(100)).await.expect("listed");
    let ids: Vec<&str> = rest.items.iter().map(|info| info.id.as_str()).collect();
    assert_eq!(ids, ["5", "4", "2", "1", "0"]);
    assert_eq!(rest.items[2].message_count, 1);
    assert_eq!(rest.next, None);
}

/// Contract 9.
pub async fn changes_are_kept(store: Arc<dyn SessionStore>) {
    let (u, s) = (user("u"), session("s"));
    let none = store.change(&u, &s, SessionChange::default()).await.map_err(|error| error.kind());
    assert_eq!(none, Err(ErrorKind::NotFound));
    store.create(&u, Some(&s)).await.expect("made");
    let metadata = object! { "b" => 1_i64, "a" => Json::Null };
    let change = |title: Option<Option<&str>>, metadata| SessionChange {
        title: title.map(|title| title.map(str::to_owned)),
        metadata,
    };
    let changed = store.change(&u, &s, change(Some(Some("Ünï 👋")), None)).await.expect("changed");
    assert_eq!(changed.title.as_deref(), Some("Ünï 👋"));
    let changed = store.change(&u, &s, change(None, Some(metadata.clone()))).await.expect("changed");
    assert_eq!((changed.title.as_deref(), &changed.metadata), (Some("Ünï 👋"), &metadata));
    store.append(&u, &s, batch(&["a"])).await.expect("appended");
    let found = store.get(&u, &s).await.expect("readable").expect("there");
    assert_eq!(
        (found.title.as_deref(), &found.metadata, found.message_count),
        (Some("Ünï 👋"), &metadata, 1)
    );
    assert_eq!(listed(&*store, "u", 10).await, [found]);
    let changed = store.change(&u, &s, change(Some(None), None)).await.expect("changed");
    assert_eq!((changed.title, changed.metadata), (None, metadata));
}

/// Contract 10.
pub async fn deleted_sessions_are_gone(store: Arc<dyn SessionStore>) {
    let (u, s) = (user("u"), session("s"));
    let keyed = || MessageBatch { key: Some("k".into()), ..batch(&["a"]) };
    assert!(!store.delete(&u, &s).await.expect("deleting nothing is not an error"));
    store.append(&u, &s, keyed()).await.expect("appended");
    assert!(store.delete(&u, &s).await.expect("deleted"));
    assert!(!store.delete(&u, &s).await.expect("deleted"));
    assert_eq!(store.get(&u, &s).await.expect("readable"), None);
    let appended = store.append(&u, &s, keyed()).await.expect("appended");
    assert_eq!(appended, Appended { first: 0, count: 1 }, "its batch keys are gone, too");
    store.create(&u, Some(&session("t"))).await.expect("made");
    store.create(&user("other"), Some(&s)).await.expect("made");
    assert_eq!(store.delete_user(&u).await.expect("deleted"), 2);
    assert_eq!(store.delete_user(&u).await.expect("deleted"), 0);
    assert!(listed(&*store, "u", 10).await.is_empty());
    assert_eq!(listed(&*store, "other", 10).await.len(), 1);
}

/// Contract 15.
pub async fn deleted_messages_are_gone(store: Arc<dyn SessionStore>) {
    let (u, s) = (user("u"), session("s"));
    let delete =
        async |position, id: &str| store.delete_message(&u, &s, position, id).await.expect("deleted");
    assert!(!delete(0, "1").await, "there is no session");
    let known = || {
        let messages: Vec<Message> = ["1", "2", "3"].iter().map(|id| text(id, id)).collect();
        MessageBatch { maybe_known: 3, ..encoded(&messages) }
    };
    store.append(&u, &s, known()).await.expect("appended");
    for (position, id, existed) in [(1, "1", false), (3, "3", false), (u64::MAX, "3", false), (1, "2", true)]
    {
        assert_eq!(delete(position, id).await, existed, "{position} {id}");
    }
    assert!(!delete(1, "2").await, "it is gone");
    let left =
        |found: Vec<StoredMessage>| found.into_iter().map(|stored| stored.position).collect::<Vec<_>>();
    let found = store.messages(&u, &s, 0, size(10)).await.expect("readable").expect("there");
    assert_eq!(texts(&found), ["1", "3"]);
    assert_eq!(left(found), [0, 2], "the others keep their positions");
    assert_eq!(count(&*store, "u", "s").await, Some(3));
    let appended = store.append(&u, &s, known()).await.expect("appended");
    assert_eq!(appended, Appended { first: 3, count: 1 }, "its id is no longer known");
    let batch = MessageBatch { is_anonymous: true, ..batch(&["a"]) };
    store.append(&user("u"), &session("anonymous"), batch).await.expect("appended");
    let deleted = store.delete_message(&u, &session("anonymous"), 0, "").await.expect("deleted");
    assert!(deleted && store.delete(&u, &session("anonymous")).await.expect("deleted"));
}

/// Contract 7 and 15: what is left is read in pages, and from the end.
pub async fn deleted_messages_leave_gaps(store: Arc<dyn SessionStore>) {
    let (u, s) = (user("u"), session("s"));
    let messages: Vec<Message> =
        (0..40).map(|number| text(&number.to_string(), &number.to_string())).collect();
    store.append(&u, &s, encoded(&messages)).await.expect("appended");
    let is_left = |number: &u64| number % 3 == 1 && *number < 30;
    for number in (0..40).filter(|number| !is_left(number)) {
        assert!(store.delete_message(&u, &s, number, &number.to_string()).await.expect("deleted"));
    }
    let expected: Vec<String> = (0..40).filter(is_left).map(|number| number.to_string()).collect();
    let last = store.last_messages(&u, &s, size(4)).await.expect("readable").expect("there");
    assert_eq!(texts(&last), expected[expected.len() - 4..]);
    let (mut found, mut from) = (Vec::new(), 0);
    loop {
        let page = store.messages(&u, &s, from, size(3)).await.expect("readable").expect("there");
        let Some(end) = page.last() else { break };
        from = end.position + 1;
        found.extend(texts(&page));
    }
    assert_eq!(found, expected);
}

/// Contract 3 and 10 at once: the remaining data is complete.
pub async fn deletes_race_with_appends(store: Arc<dyn SessionStore>) {
    let work = (0..20).map(|number| {
        let store = Arc::clone(&store);
        async move {
            for _ in 0..20 {
                if number % 5 == 0 {
                    store.delete(&user("u"), &session("s")).await.expect("deleted");
                } else {
                    let appended = store.append(&user("u"), &session("s"), batch(&["a", "b"])).await;
                    assert_eq!(appended.expect("appended").count, 2);
                }
            }
        }
    });
    at_once(work).await;
    let found = texts(&all(&*store, "u", "s").await);
    assert!(found.chunks(2).all(|pair| pair == ["a", "b"]), "{found:?}");
    assert_eq!(count(&*store, "u", "s").await.unwrap_or_default(), found.len() as u64);
}

/// Contract 11.
pub async fn users_never_meet(store: Arc<dyn SessionStore>) {
    let ids = hostile_ids();
    for (number, u) in ids.iter().enumerate() {
        for (other, s) in ids.iter().enumerate().skip(number % 3).step_by(3) {
            let message = format!("{number} {other}");
            let appended = store.append(&user(u), &session(s), batch(&[&message])).await.expect("appended");
            assert_eq!(appended.first, 0, "{u:?} {s:?} is new");
        }
    }
    for (number, u) in ids.iter().enumerate() {
        let expected: BTreeSet<&str> = ids.iter().skip(number % 3).step_by(3).map(String::as_str).collect();
        let found = listed(&*store, u, 7).await;
        assert!(found.iter().all(|info| info.user_id.as_str() == u), "{u:?}");
        assert_eq!(found.iter().map(|info| info.id.as_str()).collect::<BTreeSet<_>>(), expected, "{u:?}");
        for (other, s) in ids.iter().enumerate().skip(number % 3).step_by(3) {
            assert_eq!(texts(&all(&*store, u, s).await), [format!("{number} {other}")]);
        }
    }
    let expected = ids.iter().skip(1).step_by(3).count() as u64;
    assert_eq!(store.delete_user(&user("*")).await.expect("deleted"), {
        let star = ids.iter().position(|id| id == "*").expect("among them");
        ids.iter().skip(star % 3).step_by(3).count() as u64
    });
    assert_eq!(listed(&*store, " ", 1000).await.len() as u64, expected, "only that user's are gone");
}

/// Contract 11: too long.
pub async fn long_ids_are_refused(store: Arc<dyn SessionStore>) {
    let longest = "é".repeat(MAX_ID_BYTES / 2);
    store.create(&user(&longest), Some(&session(&longest))).await.expect("the longest ids are good");
    let long = longest + "x";
    let kinds = [
        store.create(&user(&long), None).await.map(drop),
        store.get(&user("u"), &session(&long)).await.map(drop),
        store.append(&user("u"), &session(&long), batch(&["a"])).await.map(drop),
        store
            .append(&user("u"), &session("s"), MessageBatch { key: Some(long), ..batch(&["a"]) })
            .await
            .map(drop),
    ];
    for kind in kinds {
        assert_eq!(kind.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
    }
    assert!(listed(&*store, "u", 10).await.is_empty());
}

/// The lifecycle's contract 3: acknowledged data survives a stop and a restart.
pub async fn a_restart_forgets_nothing(store: Arc<dyn SessionStore>) {
    let (u, s) = (user("u"), session("s"));
    let keyed = || MessageBatch { key: Some("k".into()), ..batch(&["a", "b"]) };
    store.append(&u, &s, keyed()).await.expect("appended");
    let before = store.get(&u, &s).await.expect("readable");
    store.stop().await.expect("stopped");
    store.start().await.expect("started");
    assert_eq!(store.get(&u, &s).await.expect("readable"), before);
    assert_eq!(store.append(&u, &s, keyed()).await.expect("repeated").count, 0);
    assert_eq!(texts(&all(&*store, "u", "s").await), ["a", "b"]);
    let later = store.create(&u, None).await.expect("made");
    assert!(before.is_some_and(|before| later.number > before.number), "numbers continue");
}

fn anonymous(texts: &[&str]) -> MessageBatch {
    MessageBatch { is_anonymous: true, ..batch(texts) }
}

/// Contract 13.
pub async fn sweep_forgets_anonymous_sessions(store: Arc<dyn SessionStore>) {
    store.create(&user("u"), Some(&session("made"))).await.expect("made");
    store.append(&user("u"), &session("named"), batch(&["a"])).await.expect("appended");
    store.append(&user("u"), &session("named"), anonymous(&["b"])).await.expect("appended");
    let mut names = Vec::new();
    for number in 0..230 {
        let name = (user(&number.to_string()), session(&number.to_string()));
        store.append(&name.0, &name.1, anonymous(&["a"])).await.expect("appended");
        names.push(name);
    }
    store.append(&user("u"), &session("old"), anonymous(&["a"])).await.expect("appended");
    let mut forgotten = store.sweep().await.expect("swept");
    forgotten.extend(store.sweep().await.expect("sweeping can be repeated"));
    for (u, s) in names.iter().chain([&(user("u"), session("old"))]) {
        // If sessions expire by themselves in a backend, that may take a moment.
        while store.get(u, s).await.expect("readable").is_some() {}
        assert!(
            forgotten.is_empty() || forgotten.contains(&(u.clone(), s.clone())),
            "{s} was deleted but not returned"
        );
    }
    assert_eq!(count(&*store, "u", "named").await, Some(2), "it was named from the beginning");
    let left = listed(&*store, "u", 10).await;
    assert_eq!(left.iter().map(|info| info.id.as_str()).collect::<Vec<_>>(), ["named", "made"]);
    let appended = store.append(&user("7"), &session("7"), batch(&["b"])).await.expect("appended");
    assert_eq!(appended, Appended { first: 0, count: 1 }, "it is a new session");
}

/// Contract 13: each of these names an anonymous session.
pub async fn sweep_keeps_named_sessions(store: Arc<dyn SessionStore>) {
    for id in ["made", "changed", "appended"] {
        store.append(&user("u"), &session(id), anonymous(&["a"])).await.expect("appended");
    }
    store.create(&user("u"), Some(&session("made"))).await.expect("kept");
    store.change(&user("u"), &session("changed"), SessionChange::default()).await.expect("changed");
    store.append(&user("u"), &session("appended"), batch(&["b"])).await.expect("appended");
    store.append(&user("u"), &session("appended"), anonymous(&["c"])).await.expect("appended");
    assert_eq!(store.sweep().await.expect("swept"), []);
    for (id, messages) in [("made", 1), ("changed", 1), ("appended", 3)] {
        assert_eq!(count(&*store, "u", id).await, Some(messages), "{id}");
    }
}
