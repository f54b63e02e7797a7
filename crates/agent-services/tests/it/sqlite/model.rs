//! Compares the SQLite stores with the in-memory ones, using random calls.

mod memories;
mod sessions;
mod states;

use std::fmt::Debug;
use std::sync::Arc;

use agent_schemas::{SessionId, UserId};
use agent_services::clock::ManualClock;
use agent_services::limits::StoreLimits;
use agent_services::sqlite::SqliteDatabase;
use agent_services::{Result, Service, StoreContext};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::run_model::rounds;

/// Two stores that have the same clock and the same small limits.
struct Pair<S, M> {
    sqlite: S,
    in_memory: M,
    clock: Arc<ManualClock>,
    _folder: TempDir,
}

impl<S: Service, M: Service> Pair<S, M> {
    async fn start(
        sqlite: impl FnOnce(SqliteDatabase, StoreContext) -> S,
        in_memory: impl FnOnce(StoreContext) -> M,
    ) -> Self {
        let folder = super::folder();
        let clock = Arc::new(ManualClock::at(1000));
        let mut limits = StoreLimits::default();
        (limits.item_bytes, limits.session_messages, limits.session_bytes) = (600, 20, 4000);
        let context = StoreContext::default().with_clock(Arc::clone(&clock) as _).with_limits(limits);
        let sqlite = sqlite(super::database(folder.path()), context.clone());
        let pair = Pair { sqlite, in_memory: in_memory(context), clock, _folder: folder };
        pair.sqlite.start().await.expect("started");
        pair.in_memory.start().await.expect("started");
        pair
    }

    /// A restart, which must change nothing.
    async fn restart(&self) {
        self.sqlite.stop().await.expect("stopped");
        self.sqlite.start().await.expect("started");
    }
}

/// Fails unless two stores answered the same.
fn same<T: PartialEq + Debug>(sqlite: Result<T>, in_memory: Result<T>) -> Checked {
    let (sqlite, in_memory) = (sqlite.map_err(|error| error.kind()), in_memory.map_err(|error| error.kind()));
    prop_assert_eq!(sqlite, in_memory);
    Ok(())
}

/// Whether the stores agree.
type Checked = std::result::Result<(), TestCaseError>;

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

/// One of a few users, with odd ids among them.
fn user() -> impl Strategy<Value = UserId> {
    prop_oneof![4 => Just("u"), 1 => Just(""), 1 => Just("u\0")].prop_map(UserId::new)
}

fn session() -> impl Strategy<Value = SessionId> {
    prop_oneof![4 => Just("s"), 1 => Just("s\0"), 1 => Just("t")].prop_map(SessionId::new)
}
