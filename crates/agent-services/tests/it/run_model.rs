//! Compares a run store with the in-memory one, using random calls.
//!
//! Only what the contract decides is asked: what a store may do as it likes (repeat a part of a batch, for one) is not.

mod calls;
mod known;
mod pair;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use agent_services::run::{InMemoryRunStore, Retention, RunStore};
use proptest::collection::vec;
use proptest::test_runner::{Config, TestRunner};

use self::calls::usage;
use self::pair::Pair;

/// How many cases each property is tried with: `AGENT_TEST_ROUNDS`, else few.
pub(crate) fn rounds() -> Config {
    #[expect(clippy::disallowed_methods, reason = "a test's effort is set from outside")]
    let rounds = std::env::var("AGENT_TEST_ROUNDS");
    let cases = rounds.map_or(24, |text| text.parse().expect("AGENT_TEST_ROUNDS is a number"));
    Config { failure_persistence: None, ..Config::with_cases(cases) }
}

#[test]
fn run_store__random_calls__agree_with_itself() {
    agrees_with_memory(|retention| async move {
        (Arc::new(InMemoryRunStore::default().with_retention(retention)) as Arc<dyn RunStore>, ())
    });
}

/// Fails unless the stores that are made, not yet started and with no runs, answer as the one in memory does. What comes
/// with a store is kept until its case is over.
///
/// Some of them have to keep all, others hardly anything: these are swept whenever a run has ended, so that all of them have
/// forgotten the same.
pub(crate) fn agrees_with_memory<G, F>(make: impl Fn(Retention) -> F)
where
    F: Future<Output = (Arc<dyn RunStore>, G)>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let usage = (proptest::bool::weighted(0.3), vec(usage(), 1..120));
    let tried = TestRunner::new(rounds()).run(&usage, |(forgets, uses)| {
        runtime.block_on(async {
            let age = if forgets { Duration::ZERO } else { Duration::from_secs(24 * 60 * 60) };
            let retention = Retention { age, bytes: 1 << 30 };
            let (tested, _kept) = make(retention).await;
            let mut pair = Pair::start(tested, retention).await;
            for one in uses {
                pair.apply(one).await?;
                pair.check_turns().await?;
            }
            pair.check_all().await?;
            pair.tested.stop().await.expect("stopped");
            Ok(())
        })
    });
    tried.unwrap_or_else(|fault| panic!("{fault}"));
}
