//! Everything with state, behind traits.
//!
//! | trait | what it keeps | backends |
//! |---|---|---|
//! | [`RunStore`](run::RunStore) | the event logs of runs | [`InMemoryRunStore`](run::InMemoryRunStore), `sqlite::SqliteRunStore`, `redis::RedisRunStore` |
//! | [`SessionStore`](session::SessionStore) | conversations | [`InMemorySessionStore`](session::InMemorySessionStore), `sqlite::SqliteSessionStore`, `redis::RedisSessionStore` |
//! | [`MemoryStore`](memory::MemoryStore) | what is to be remembered of users | [`InMemoryMemoryStore`](memory::InMemoryMemoryStore), `sqlite::SqliteMemoryStore`, `redis::RedisMemoryStore` |
//! | [`StateStore`](state::StateStore) | what agents keep of themselves | [`InMemoryStateStore`](state::InMemoryStateStore), `sqlite::SqliteStateStore`, `redis::RedisStateStore` |
//!
//! The backends of the modules `sqlite` and `redis` come with the features of those names.
//!
//! Each trait's documentation states a numbered contract; each line of it is one function of the conformance suite
//! (feature `conformance`), which every backend passes.

pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod context;
mod error;
mod lifecycle;
pub mod limits;
pub mod memory;
pub mod page;
#[cfg(feature = "redis")]
pub mod redis;
pub mod run;
pub mod session;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod state;

pub use context::StoreContext;
pub use error::{Error, ErrorKind, Result};
pub use lifecycle::{DatabaseId, Service};
