//! Random calls of the stores of sessions.

use agent_schemas::{JsonObject, Message, SessionId, UserId, object};
use agent_services::page::{PageSize, PageToken};
use agent_services::session::{InMemorySessionStore, MessageBatch, SessionChange, SessionInfo, SessionStore};
use agent_services::sqlite::SqliteSessionStore;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{Checked, Pair, rounds, runtime, same, session, user};

#[derive(Clone, Debug)]
enum Use {
    Create(UserId, SessionId),
    Get(UserId, SessionId),
    Append(UserId, SessionId, MessageBatch),
    Messages(UserId, SessionId, u64, usize),
    Last(UserId, SessionId, usize),
    List(UserId, usize),
    Change(UserId, SessionId, SessionChange),
    Delete(UserId, SessionId),
    DeleteUser(UserId),
    Wait(i64),
    Restart,
}

fn message() -> impl Strategy<Value = Message> {
    // Some are too large, and too many of the others make the session too large.
    let text = prop_oneof![9 => ".{0,20}", 1 => "x{200,600}"];
    ("[abc\0]?", text).prop_map(|(id, text)| {
        let mut message = Message::user(text);
        message.id = id;
        message
    })
}

fn batch() -> impl Strategy<Value = MessageBatch> {
    (vec(message(), 0..5), option::weighted(0.3, "[ab\0]?"), 0..5_usize).prop_map(
        |(messages, key, maybe_known)| {
            let batch = MessageBatch::of(&messages).expect("JSON");
            MessageBatch { key, maybe_known, ..batch }
        },
    )
}

fn change() -> impl Strategy<Value = SessionChange> {
    let metadata = prop_oneof![
        Just(JsonObject::new()),
        ".{0,300}".prop_map(|text| object! { "z" => text, "a" => 1_i64 })
    ];
    (option::of(option::of(".{0,300}")), option::of(metadata))
        .prop_map(|(title, metadata)| SessionChange { title, metadata })
}

fn usage() -> impl Strategy<Value = Use> {
    prop_oneof![
        2 => (user(), session()).prop_map(|(u, s)| Use::Create(u, s)),
        3 => (user(), session()).prop_map(|(u, s)| Use::Get(u, s)),
        12 => (user(), session(), batch()).prop_map(|(u, s, batch)| Use::Append(u, s, batch)),
        4 => (user(), session(), 0..25_u64, 1..25_usize).prop_map(|(u, s, from, n)| Use::Messages(u, s, from, n)),
        4 => (user(), session(), 1..25_usize).prop_map(|(u, s, n)| Use::Last(u, s, n)),
        3 => (user(), 1..4_usize).prop_map(|(u, n)| Use::List(u, n)),
        3 => (user(), session(), change()).prop_map(|(u, s, change)| Use::Change(u, s, change)),
        1 => (user(), session()).prop_map(|(u, s)| Use::Delete(u, s)),
        1 => user().prop_map(Use::DeleteUser),
        2 => (1..5_i64).prop_map(Use::Wait),
        1 => Just(Use::Restart),
    ]
}

proptest! {
    #![proptest_config(rounds())]

    #[test]
    fn sessions__random_calls__agree_with_memory(uses in vec(usage(), 1..100)) {
        runtime().block_on(async {
            let pair = Pair::start(SqliteSessionStore::new, InMemorySessionStore::new).await;
            for one in uses {
                apply(&pair, one).await?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}

async fn apply(pair: &Pair<SqliteSessionStore, InMemorySessionStore>, one: Use) -> Checked {
    let (a, b) = (&pair.sqlite, &pair.in_memory);
    let size = |items| PageSize::new(items).expect("a size");
    match one {
        Use::Create(u, s) => same(
            a.create(&u, Some(&s)).await.map(without_number),
            b.create(&u, Some(&s)).await.map(without_number),
        ),
        Use::Get(u, s) => same(
            a.get(&u, &s).await.map(|info| info.map(without_number)),
            b.get(&u, &s).await.map(|info| info.map(without_number)),
        ),
        Use::Append(u, s, batch) => {
            same(a.append(&u, &s, batch.clone()).await, b.append(&u, &s, batch).await)
        }
        Use::Messages(u, s, from, items) => {
            let (from, size) = (if from == 24 { u64::MAX } else { from }, size(items));
            same(a.messages(&u, &s, from, size).await, b.messages(&u, &s, from, size).await)
        }
        Use::Last(u, s, items) => {
            let size = size(items);
            same(a.last_messages(&u, &s, size).await, b.last_messages(&u, &s, size).await)
        }
        Use::List(u, items) => same(Ok(listed(a, &u, items).await), Ok(listed(b, &u, items).await)),
        Use::Change(u, s, change) => same(
            a.change(&u, &s, change.clone()).await.map(without_number),
            b.change(&u, &s, change).await.map(without_number),
        ),
        Use::Delete(u, s) => same(a.delete(&u, &s).await, b.delete(&u, &s).await),
        Use::DeleteUser(u) => same(a.delete_user(&u).await, b.delete_user(&u).await),
        Use::Wait(seconds) => {
            pair.clock.advance(seconds);
            Ok(())
        }
        Use::Restart => {
            pair.restart().await;
            Ok(())
        }
    }
}

/// Only the order of numbers matters; a rejected append may use one up.
fn without_number(mut info: SessionInfo) -> SessionInfo {
    info.number = 0;
    info
}

/// All pages of a list.
async fn listed(store: &dyn SessionStore, user: &UserId, items: usize) -> Vec<Vec<SessionInfo>> {
    let (mut after, mut pages) = (None::<PageToken>, Vec::new());
    loop {
        let size = PageSize::new(items).expect("a size");
        let page = store.list(user, after, size).await.expect("listed");
        pages.push(page.items.into_iter().map(without_number).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}
