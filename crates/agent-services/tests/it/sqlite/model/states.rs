//! Random calls of the stores of states.

use agent_schemas::{Json, SessionId, UserId};
use agent_services::page::{PageSize, PageToken};
use agent_services::sqlite::SqliteStateStore;
use agent_services::state::{InMemoryStateStore, StateStore};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Checked, Pair, rounds, runtime, same, session, user};

#[derive(Clone, Debug)]
enum Use {
    Save(UserId, SessionId, Option<u64>, Json),
    Export(UserId, SessionId, Option<u64>),
    Rounds(UserId, SessionId, Option<u64>, usize),
    DeleteRound(UserId, SessionId, u64),
    DeleteSession(UserId, SessionId),
    DeleteUser(UserId),
    Restart,
}

fn round() -> impl Strategy<Value = u64> {
    prop_oneof![0..9_u64, (1_u64 << 63) - 2..(1 << 63) + 2, u64::MAX - 2..=u64::MAX]
}

fn state() -> impl Strategy<Value = Json> {
    prop_oneof![Just(Json::Null), any::<i64>().prop_map(Json::from), ".{0,300}".prop_map(Json::from)]
}

fn usage() -> impl Strategy<Value = Use> {
    let maybe = || proptest::option::weighted(0.4, round());
    prop_oneof![
        8 => (user(), session(), maybe(), state()).prop_map(|(u, s, r, state)| Use::Save(u, s, r, state)),
        5 => (user(), session(), maybe()).prop_map(|(u, s, r)| Use::Export(u, s, r)),
        5 => (user(), session(), maybe(), 1..9_usize).prop_map(|(u, s, r, size)| Use::Rounds(u, s, r, size)),
        2 => (user(), session(), round()).prop_map(|(u, s, r)| Use::DeleteRound(u, s, r)),
        1 => (user(), session()).prop_map(|(u, s)| Use::DeleteSession(u, s)),
        1 => user().prop_map(Use::DeleteUser),
        1 => Just(Use::Restart),
    ]
}

proptest! {
    #![proptest_config(rounds())]

    #[test]
    fn states__random_calls__agree_with_memory(uses in vec(usage(), 1..80)) {
        runtime().block_on(async {
            let pair = Pair::start(SqliteStateStore::new, InMemoryStateStore::new).await;
            for one in uses {
                apply(&pair, one).await?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}

async fn apply(pair: &Pair<SqliteStateStore, InMemoryStateStore>, one: Use) -> Checked {
    let (a, b) = (&pair.sqlite, &pair.in_memory);
    match one {
        Use::Save(u, s, r, state) => same(a.save(&u, &s, r, &state).await, b.save(&u, &s, r, &state).await),
        Use::Export(u, s, r) => same(a.export(&u, &s, r).await, b.export(&u, &s, r).await),
        Use::Rounds(u, s, r, size) => {
            let (after, size) = (r.map(PageToken), PageSize::new(size).expect("a size"));
            same(a.rounds(&u, &s, after, size).await, b.rounds(&u, &s, after, size).await)
        }
        Use::DeleteRound(u, s, r) => same(a.delete_round(&u, &s, r).await, b.delete_round(&u, &s, r).await),
        Use::DeleteSession(u, s) => same(a.delete_session(&u, &s).await, b.delete_session(&u, &s).await),
        Use::DeleteUser(u) => same(a.delete_user(&u).await, b.delete_user(&u).await),
        Use::Restart => {
            pair.restart().await;
            Ok(())
        }
    }
}
