//! What every backend promises, as tests that a backend runs against itself.
//!
//! One macro line a backend: `run_store_conformance!(async { InMemoryRunStore::new() })`. The expression is evaluated
//! for each test, so each gets a fresh store.

pub mod run_store;
