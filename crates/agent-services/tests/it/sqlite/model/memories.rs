//! Random calls of the stores of memories, with scores that are the same to the last bit.

use agent_schemas::{Message, SessionId, UserId};
use agent_services::memory::{InMemoryMemoryStore, MemoryQuery, MemoryStore, Recalled};
use agent_services::page::{PageSize, PageToken};
use agent_services::sqlite::SqliteMemoryStore;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{Checked, Pair, rounds, runtime, same, session, user};

#[derive(Clone, Debug)]
enum Use {
    Add(UserId, SessionId, Vec<String>),
    /// Many at once, so that a word has several blocks of postings.
    AddMany(UserId, SessionId, String, usize),
    Search(UserId, MemoryQuery),
    List(UserId, Option<SessionId>, Option<u64>, usize),
    Delete(UserId, u64),
    DeleteSession(UserId, SessionId),
    DeleteUser(UserId),
    Wait(i64),
    Restart,
}

/// Only a few words, so that texts share some.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("apple"),
        Just("PEAR"),
        Just("fig"),
        Just("苹果和梨"),
        Just("梨"),
        Just("?!"),
        Just("é")
    ];
    vec(word, 0..8).prop_map(|words| words.join(" "))
}

fn query() -> impl Strategy<Value = MemoryQuery> {
    let time = || option::weighted(0.2, 995..1060_i64);
    let least = prop_oneof![3 => Just(0.0), 1 => 0.0..2.0, 1 => Just(f64::NEG_INFINITY)];
    (text(), 1..40_usize, least, option::weighted(0.3, session()), time(), time()).prop_map(
        |(text, top_k, min_score, session_id, since, until)| {
            let mut query = MemoryQuery::new(text);
            (query.top_k, query.min_score, query.session_id) = (top_k, min_score, session_id);
            (query.since, query.until) = (since, until);
            query
        },
    )
}

fn usage() -> impl Strategy<Value = Use> {
    prop_oneof![
        8 => (user(), session(), vec(text(), 0..5)).prop_map(|(u, s, texts)| Use::Add(u, s, texts)),
        2 => (user(), session(), text(), 1..400_usize).prop_map(|(u, s, text, n)| Use::AddMany(u, s, text, n)),
        12 => (user(), query()).prop_map(|(u, query)| Use::Search(u, query)),
        3 => (user(), option::of(session()), option::of(0..100_u64), 1..9_usize)
            .prop_map(|(u, s, after, n)| Use::List(u, s, after, n)),
        6 => (user(), 0..60_u64).prop_map(|(u, number)| Use::Delete(u, number)),
        1 => (user(), session()).prop_map(|(u, s)| Use::DeleteSession(u, s)),
        1 => user().prop_map(Use::DeleteUser),
        2 => (1..20_i64).prop_map(Use::Wait),
        1 => Just(Use::Restart),
    ]
}

proptest! {
    #![proptest_config(rounds())]

    #[test]
    fn memories__random_calls__agree_with_memory(uses in vec(usage(), 1..60)) {
        runtime().block_on(async {
            let pair = Pair::start(SqliteMemoryStore::new, InMemoryMemoryStore::new).await;
            for one in uses {
                apply(&pair, one).await?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}

async fn apply(pair: &Pair<SqliteMemoryStore, InMemoryMemoryStore>, one: Use) -> Checked {
    let (a, b) = (&pair.sqlite, &pair.in_memory);
    match one {
        Use::Add(u, s, texts) => {
            let messages: Vec<Message> = texts.iter().map(Message::user).collect();
            same(a.add(&u, &s, messages.clone()).await, b.add(&u, &s, messages).await)
        }
        Use::AddMany(u, s, text, count) => {
            let messages: Vec<Message> =
                (0..count).map(|n| Message::user(format!("{text} {}", n % 7))).collect();
            same(a.add(&u, &s, messages.clone()).await, b.add(&u, &s, messages).await)
        }
        Use::Search(u, query) => {
            same(a.search(&u, &query).await.map(bits), b.search(&u, &query).await.map(bits))
        }
        Use::List(u, s, after, items) => {
            let (after, size) = (after.map(PageToken), PageSize::new(items).expect("a size"));
            same(a.list(&u, s.as_ref(), after, size).await, b.list(&u, s.as_ref(), after, size).await)
        }
        Use::Delete(u, number) => same(a.delete(&u, number).await, b.delete(&u, number).await),
        Use::DeleteSession(u, s) => same(a.delete_session(&u, &s).await, b.delete_session(&u, &s).await),
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

fn bits(recalled: Vec<Recalled>) -> Vec<(u64, u64, String)> {
    let bits = recalled.into_iter().map(|found| {
        let memory = found.memory;
        (
            memory.number,
            found.score.to_bits(),
            format!("{} {}", memory.session_id, memory.message.full_text()),
        )
    });
    bits.collect()
}
