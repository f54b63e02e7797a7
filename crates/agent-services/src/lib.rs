//! Everything that has state, behind traits.
//!
//! | trait | data | backends |
//! |---|---|---|
//! | [`RunStore`](run::RunStore) | the event logs of runs | [`InMemoryRunStore`](run::InMemoryRunStore), `sqlite::SqliteRunStore`, `redis::RedisRunStore` |
//! | [`SessionStore`](session::SessionStore) | conversations | [`InMemorySessionStore`](session::InMemorySessionStore), `sqlite::SqliteSessionStore`, `redis::RedisSessionStore` |
//! | [`MemoryStore`](memory::MemoryStore) | what agents remember about users | [`InMemoryMemoryStore`](memory::InMemoryMemoryStore), `sqlite::SqliteMemoryStore`, `redis::RedisMemoryStore` |
//! | [`StateStore`](state::StateStore) | agents' own states | [`InMemoryStateStore`](state::InMemoryStateStore), `sqlite::SqliteStateStore`, `redis::RedisStateStore` |
//!
//! [`Services`] has all of the stores. [`Backends`] opens them by URL, and accepts backends of other crates
//! ([`backend`]).
//!
//! ```
//! use agent_schemas::{Message, SessionId, UserId};
//! use agent_services::Services;
//! use agent_services::page::PageSize;
//! use agent_services::session::MessageBatch;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> agent_services::Result<()> {
//! let services = Services::open("memory:")?;
//! services.start().await?;
//! let (user, session) = (UserId::new("ann"), SessionId::new("s-1"));
//! services.sessions.append(&user, &session, MessageBatch::of(&[Message::user("I like figs.")])?).await?;
//! let last = services.sessions.last_messages(&user, &session, PageSize::default()).await?.unwrap_or_default();
//! assert_eq!(last[0].message.full_text(), "I like figs.");
//! services.stop().await
//! # }
//! ```
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `sqlite` | the module `sqlite`: all stores in one file, opened by `sqlite:FOLDER` |
//! | `redis` | the module `redis`: stores that servers share, opened by `redis://HOST:PORT` and its relatives |
//! | `conformance` | the suites that every backend passes, for tests of backends |
//!
//! Each trait's documentation states a numbered contract; each line of it is one function of the conformance suite
//! (feature `conformance`), which every backend passes.
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

pub mod backend;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod context;
mod damage;
mod error;
mod lifecycle;
pub mod limits;
pub mod memory;
mod memory_budget;
pub mod page;
#[cfg(feature = "redis")]
pub mod redis;
mod retention;
pub mod retry;
pub mod run;
mod services;
pub mod session;
mod shrink;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod state;
mod tenant;

pub use context::StoreContext;
pub use error::{Error, ErrorKind, Result, WriteFault};
pub use lifecycle::{DatabaseId, Service};
pub use services::{Backends, ServiceUrls, Services};
