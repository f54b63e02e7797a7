//! The runner from outside: whole runs, their logs, and what becomes of them.

#[cfg(feature = "chat")]
mod chat;
mod continued;
mod demo;
mod durability;
mod faulty_store;
mod grammar;
mod history;
mod kept;
mod life;
mod lost_replies;
#[cfg(feature = "chat")]
mod model_server;
mod recovery;
mod resting;
mod spans;
mod stored_first;
mod summary;
mod support;
mod testing;
mod turns;
