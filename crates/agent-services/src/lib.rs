//! Everything with state, behind traits.
//!
//! | trait | what it keeps | backends |
//! |---|---|---|
//! | [`RunStore`](run::RunStore) | the event logs of runs | [`InMemoryRunStore`](run::InMemoryRunStore) |
//! | [`SessionStore`](session::SessionStore) | conversations | [`InMemorySessionStore`](session::InMemorySessionStore), `redis::RedisSessionStore` |
//! | [`MemoryStore`](memory::MemoryStore) | what is to be remembered of users | [`InMemoryMemoryStore`](memory::InMemoryMemoryStore), `redis::RedisMemoryStore` |
//! | [`StateStore`](state::StateStore) | what agents keep of themselves | [`InMemoryStateStore`](state::InMemoryStateStore), `redis::RedisStateStore` |
//!
//! The backends of the module `redis` come with the feature `redis`.
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
pub mod state;

pub use context::StoreContext;
pub use error::{Error, ErrorKind, Result};
pub use lifecycle::Service;
