//! Everything in one file: runs, sessions, states and memories in SQLite, for one machine.
//!
//! A [`SqliteDatabase`] is a file in a data folder, and the stores over it share it. The first that starts opens it and
//! brings it up to date, the last that stops closes it. In between one thread writes, and commits what is waiting
//! together, while readers look at what was committed last. The file is readable with any SQLite tool.
//!
//! What was acknowledged survives the end of the process, however it ends; with
//! [`sync_every_commit`](SqliteOptions::sync_every_commit) a loss of power too.

mod backend;
mod connection;
mod database;
mod failure;
mod folder;
mod json;
mod memories;
mod migrations;
mod open;
mod readers;
mod row;
mod run_store;
mod runs;
mod session_store;
mod sessions;
mod statement;
mod states;
mod store;
mod users;
mod writer;

#[cfg(test)]
mod plans;

pub use backend::SqliteBackend;
pub use connection::SqliteOptions;
pub use database::SqliteDatabase;
pub use memories::SqliteMemoryStore;
pub use run_store::SqliteRunStore;
pub use session_store::SqliteSessionStore;
pub use states::SqliteStateStore;
