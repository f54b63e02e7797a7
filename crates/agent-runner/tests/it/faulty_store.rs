//! A store of runs whose answers are late, lost, or errors.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use agent_schemas::{RunId, SessionId, UserId};
use agent_services::page::{Page, PageSize, PageToken};
use agent_services::run::{
    Batch, Canceled, Created, FencingToken, FinishRun, Finished, InMemoryRunStore, LogChunk, NewRun, OwnerId,
    Retention, RunFilter, RunRecord, RunStore, Step, Written,
};
use agent_services::{Error, ErrorKind, Result, Service};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call is not executed, and the reply is an error of this kind.
    Refused(ErrorKind),
    /// The call is executed, and the reply is that the store is unavailable.
    LostReply,
    /// The call is executed once the test releases it.
    Late,
    /// The call is executed or not, and no answer comes.
    Silent { is_done: bool },
}

/// Runs in memory, and the pending faults.
#[derive(Debug, Default)]
pub(crate) struct FaultyStore {
    inner: InMemoryRunStore,
    faults: Mutex<VecDeque<(&'static str, Fault)>>,
    calls: Mutex<Vec<&'static str>>,
    /// Releases late calls.
    pub(crate) released: CancellationToken,
}

impl FaultyStore {
    pub(crate) fn over(inner: InMemoryRunStore) -> Self {
        FaultyStore { inner, ..FaultyStore::default() }
    }

    /// Injects a fault into the next call with this name; several faults affect successive calls.
    pub(crate) fn fail(&self, call: &'static str, fault: Fault) {
        self.faults.lock().push_back((call, fault));
    }

    /// Removes all faults.
    pub(crate) fn heal(&self) {
        self.faults.lock().clear();
    }

    /// Whether all faults have happened.
    pub(crate) fn is_well(&self) -> bool {
        self.faults.lock().is_empty()
    }

    /// The number of calls with one of these names.
    pub(crate) fn calls(&self, names: &[&str]) -> usize {
        self.calls.lock().iter().filter(|name| names.contains(name)).count()
    }

    async fn through<T>(&self, name: &'static str, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.calls.lock().push(name);
        let fault = {
            let mut faults = self.faults.lock();
            let next = faults.iter().position(|(call, _)| *call == name);
            next.and_then(|next| faults.remove(next)).map(|(_, fault)| fault)
        };
        let away = |kind| Error::new(kind, name, "a fault of the test");
        match fault {
            None => call.await,
            Some(Fault::Refused(kind)) => Err(away(kind)),
            Some(Fault::LostReply) => {
                call.await?;
                Err(away(ErrorKind::Unavailable))
            }
            Some(Fault::Late) => {
                self.released.cancelled().await;
                call.await
            }
            Some(Fault::Silent { is_done }) => {
                if is_done {
                    call.await?;
                }
                pending().await
            }
        }
    }
}

macro_rules! pass_through {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl RunStore for FaultyStore {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$answer> {
                self.through(stringify!($name), self.inner.$name($($argument),*)).await
            })*

            fn keeps_logs_in_memory(&self) -> bool {
                self.inner.keeps_logs_in_memory()
            }

            fn retention(&self) -> Retention {
                self.inner.retention()
            }
        }
    };
}

pass_through! {
    fn create(run: NewRun) -> Created;
    fn get(id: &RunId) -> Option<RunRecord>;
    fn append(id: &RunId, token: FencingToken, batch: Batch) -> Written;
    fn seal(id: &RunId, token: FencingToken, batch: Batch, ending: &str, cancel_seen: bool) -> ();
    fn finish(run: FinishRun) -> Finished;
    fn read(id: &RunId, from: u64, max_bytes: usize) -> Option<LogChunk>;
    fn wait(id: &RunId, from: u64) -> ();
    fn list(user: &UserId, filter: &RunFilter, after: Option<PageToken>, size: PageSize) -> Page<RunRecord>;
    fn cancel(id: &RunId, last: Batch) -> Option<Canceled>;
    fn steered(id: &RunId) -> Vec<RunRecord>;
    fn drop_steered(id: &RunId, token: FencingToken, taken: &[RunId]) -> ();
    fn put_step(id: &RunId, token: FencingToken, step: Step) -> ();
    fn claim_step(id: &RunId, step: Step) -> Step;
    fn steps(id: &RunId) -> Vec<Step>;
    fn signals(owner: &OwnerId) -> Vec<RunId>;
    fn heartbeat(owner: &OwnerId, lease: Duration) -> ();
    fn release_lease(owner: &OwnerId) -> ();
    fn orphans(size: PageSize) -> Vec<RunId>;
    fn take_over(id: &RunId, owner: &OwnerId) -> Option<FencingToken>;
    fn touch_reader(id: &RunId, time: Duration) -> ();
    fn reader_ttl(id: &RunId) -> Duration;
    fn sweep() -> u64;
    fn delete(id: &RunId) -> bool;
    fn delete_session(user: &UserId, session: &SessionId) -> u64;
    fn delete_user(user: &UserId) -> u64;
}

#[async_trait]
impl Service for FaultyStore {
    async fn start(&self) -> Result<()> {
        self.inner.start().await
    }

    async fn stop(&self) -> Result<()> {
        self.inner.stop().await
    }

    async fn health(&self) -> Result<()> {
        self.inner.health().await
    }
}
