//! SQLite stores: runs, sessions, states and memories in one file, for one machine.
//!
//! A [`SqliteDatabase`] is a file in a data folder, shared by its stores. The first store that starts opens it and
//! migrates it to the current version; the last one that stops closes it. One thread writes, and commits waiting work
//! together; readers see the last committed state. Any SQLite tool can read the file. [`SqliteDatabase::backup`] copies it
//! while it is in use.
//!
//! Acknowledged writes survive the end of the process, however it ends; with
//! [`sync_every_commit`](SqliteOptions::sync_every_commit) they also survive a power failure.

mod backend;
mod backup;
mod checkpoints;
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
pub use backup::SqliteBackup;
pub use connection::SqliteOptions;
pub use database::SqliteDatabase;
pub use memories::SqliteMemoryStore;
pub use run_store::SqliteRunStore;
pub use session_store::SqliteSessionStore;
pub use states::SqliteStateStore;
