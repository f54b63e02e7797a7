//! Tests the runner from outside: whole runs and their logs.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

#[cfg(feature = "chat")]
mod approvals;
mod cancel;
#[cfg(feature = "chat")]
mod chat;
mod children;
mod continued;
mod damage;
mod deletion;
mod demo;
mod durability;
mod emitted;
mod failures;
mod faulty_store;
mod grammar;
mod history;
mod kept;
mod life;
mod lost_replies;
#[cfg(feature = "mcp")]
mod mcp;
mod memory;
#[cfg(feature = "chat")]
mod model_server;
mod questions;
mod recovery;
mod resting;
mod spans;
mod steps;
mod stored_first;
mod summary;
mod support;
mod testing;
mod turns;
