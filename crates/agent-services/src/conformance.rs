//! What every backend promises, as tests that a backend runs against itself.
//!
//! One macro line a backend: `session_store_conformance!(async { InMemorySessionStore::default() })`. The expression is
//! evaluated for each test and gives a fresh store, not yet started; a store over a shared server keeps its data apart,
//! by a prefix of its own. The tests want a multi-threaded runtime, as concurrency is among what they test.

pub mod lifecycle;
pub mod memory_store;
pub mod run_history;
pub mod run_store;
pub mod session_store;
pub mod state_store;

use std::future::Future;

use agent_schemas::{SessionId, UserId};

/// Makes one test of each named function of a suite, with a fresh and started store.
#[macro_export]
#[doc(hidden)]
macro_rules! conformance_tests {
    ($suite:ident, $make:expr; $($name:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            let store = std::sync::Arc::new($make.await);
            $crate::Service::start(&*store).await.expect("a store starts");
            $crate::conformance::$suite::$name(store).await;
        }
    )*};
}

/// Ids that a careless backend mixes up, cuts or chokes on.
fn hostile_ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "",
        " ",
        "a",
        "A",
        "a:b",
        "a:",
        ":b",
        "b",
        "a:b:c",
        "*",
        "?",
        "[a]",
        "%",
        "_",
        "../x",
        "a/b",
        "a\0b",
        "a\nb",
        "'; DROP TABLE sessions; --",
        "{a}",
        "}{",
        "a{b}c",
        "\u{feff}a",
        "é",
        "e\u{301}",
        "日本",
        "👩‍👩‍👧",
        "\u{10ffff}",
        "null",
        "0",
        "default",
    ]
    .map(str::to_owned)
    .into();
    ids.push("x".repeat(10_000));
    ids.push("x".repeat(9_999));
    ids
}

fn user(id: &str) -> UserId {
    UserId::new(id)
}

fn session(id: &str) -> SessionId {
    SessionId::new(id)
}

/// Runs many futures at once, each on a task of its own, and gives their results in order.
async fn at_once<T, F>(futures: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "each is waited for right below")]
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("no task panics"));
    }
    results
}
