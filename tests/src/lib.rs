//! The common harness of the end-to-end tests: the real binary, a raw HTTP client, models that wait or follow instructions,
//! and a process that writes to stores until it is killed.
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

pub mod binary;
pub mod client;
pub mod completions;
pub mod environment;
pub mod history;
pub mod link;
pub mod mcp;
pub mod model;
pub mod packages;
pub mod pythons;
pub mod redis;
pub mod responses;
pub mod scripted_model;
pub mod server;
pub mod store;

use std::time::Duration;

pub use client::{Answer, Connection};
pub use link::{Flow, Link};
pub use model::{MarkingModel, WaitingModel};
pub use scripted_model::ScriptedModel;
pub use server::{Launch, Server, children_of};

/// The deadline of all waits; anything that takes longer counts as never happening.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for something that must come.
///
/// # Panics
/// If it does not come before the deadline.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("timed out after {} s waiting for {what}", DEADLINE.as_secs()),
    }
}

/// Waits some milliseconds between two checks of a condition. Otherwise, checking would take a whole core from the processes
/// that make the condition true.
pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// How much effort tests with random input make: `AGENT_TEST_ROUNDS`, else this many rounds.
///
/// # Panics
/// If the variable is not a number.
pub fn rounds(default: usize) -> usize {
    #[expect(clippy::disallowed_methods, reason = "a test's effort is set from outside")]
    let rounds = std::env::var("AGENT_TEST_ROUNDS");
    rounds.map_or(default, |text| text.parse().expect("AGENT_TEST_ROUNDS is a number"))
}

/// The seed of tests with random input: `AGENT_TEST_SEED`, else another number each time. A failing test prints it.
///
/// # Panics
/// If the variable is not a number.
pub fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    #[expect(clippy::disallowed_methods, reason = "a failure is repeated from outside")]
    let seed = std::env::var("AGENT_TEST_SEED");
    seed.map_or_else(
        |_| RandomState::new().hash_one(0),
        |text| text.parse().expect("AGENT_TEST_SEED is a number"),
    )
}

/// Lets this process open as many files as the system allows.
///
/// # Panics
/// If that is fewer than `needed`.
pub fn raise_open_files(needed: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the soft limit may be raised");
    let enough = limit.maximum.is_none_or(|maximum| maximum >= needed);
    assert!(enough, "this test needs {needed} open files, and the system allows {:?}", limit.maximum);
}
