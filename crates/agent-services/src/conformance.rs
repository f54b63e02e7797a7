//! The conformance suites: tests of what every backend promises.
//!
//! One macro line per backend: `session_store_conformance!(async { InMemorySessionStore::default() })`. The expression
//! is evaluated for each test and returns a new store, not yet started; a store on a shared server separates its data
//! with a unique prefix. The tests need a multi-threaded runtime, because they test concurrency.

pub mod lifecycle;
pub mod memory_store;
pub mod run_history;
pub mod run_store;
pub mod session_store;
pub mod state_store;

use std::future::Future;

use agent_schemas::{SessionId, UserId};

/// Creates one test per named function of a suite, with a new, started store.
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

/// Ids that a careless backend confuses, truncates or rejects.
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

/// Runs many futures concurrently, each in a separate task, and returns their results in order.
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
