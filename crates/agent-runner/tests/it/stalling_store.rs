//! A store of runs whose appends stall.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_schemas::{RunId, Status, UserId};
use agent_services::page::{Cursor as Place, Listed, PageSize};
use agent_services::run::{
    Batch, Canceled, Created, FencingToken, Grant, InMemoryRunStore, NewRun, OwnerId, Page, RunFilter,
    RunRecord, RunStore,
};
use agent_services::{Error, ErrorKind, Service};
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

/// Whether an append stalls, and whether it has stored something then.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stall {
    Not,
    Before,
    After,
}

pub(crate) struct StallingStore {
    inner: InMemoryRunStore,
    appends: AtomicUsize,
    /// Says of each append by its number whether it stalls.
    stall: Box<dyn Fn(usize) -> Stall + Send + Sync>,
    /// How many more times a record cannot be read.
    pub(crate) unreadable: AtomicUsize,
    /// Lets those that stall go on.
    pub(crate) released: CancellationToken,
}

impl StallingStore {
    pub(crate) fn new(stall: impl Fn(usize) -> Stall + Send + Sync + 'static) -> Self {
        let (inner, appends, unreadable, released) = Default::default();
        StallingStore { inner, appends, stall: Box::new(stall), unreadable, released }
    }
}

impl fmt::Debug for StallingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StallingStore").field("appends", &self.appends).finish_non_exhaustive()
    }
}

#[async_trait]
impl RunStore for StallingStore {
    async fn append(&self, id: &RunId, token: FencingToken, batch: Batch) -> agent_services::Result<()> {
        let stall = (self.stall)(self.appends.fetch_add(1, Ordering::SeqCst));
        if let Stall::Before = stall {
            self.released.cancelled().await;
        }
        self.inner.append(id, token, batch).await?;
        if let Stall::After = stall {
            self.released.cancelled().await;
        }
        Ok(())
    }

    async fn create(&self, run: NewRun) -> agent_services::Result<Created> {
        self.inner.create(run).await
    }

    async fn get(&self, id: &RunId) -> agent_services::Result<Option<RunRecord>> {
        let less = |count: usize| count.checked_sub(1);
        if self.unreadable.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return Err(Error::new(ErrorKind::Unavailable, "get a run", "the store is away"));
        }
        self.inner.get(id).await
    }

    async fn close(
        &self,
        id: &RunId,
        token: FencingToken,
        batch: Batch,
        ending: &str,
    ) -> agent_services::Result<()> {
        self.inner.close(id, token, batch, ending).await
    }

    async fn finish(
        &self,
        id: &RunId,
        token: FencingToken,
        batch: Batch,
        status: Status,
        next: Option<&OwnerId>,
    ) -> agent_services::Result<Option<Grant>> {
        self.inner.finish(id, token, batch, status, next).await
    }

    async fn read(&self, id: &RunId, from: u64, max_bytes: usize) -> agent_services::Result<Option<Page>> {
        self.inner.read(id, from, max_bytes).await
    }

    async fn wait(&self, id: &RunId, from: u64) -> agent_services::Result<()> {
        self.inner.wait(id, from).await
    }

    async fn list(
        &self,
        user: &UserId,
        filter: &RunFilter,
        after: Option<Place>,
        size: PageSize,
    ) -> agent_services::Result<Listed<RunRecord>> {
        self.inner.list(user, filter, after, size).await
    }

    async fn cancel(&self, id: &RunId, by: &OwnerId) -> agent_services::Result<Option<Canceled>> {
        self.inner.cancel(id, by).await
    }

    async fn steered(&self, id: &RunId) -> agent_services::Result<Vec<RunRecord>> {
        self.inner.steered(id).await
    }

    async fn drop_steered(
        &self,
        id: &RunId,
        token: FencingToken,
        taken: &[RunId],
    ) -> agent_services::Result<()> {
        self.inner.drop_steered(id, token, taken).await
    }

    async fn signals(&self, owner: &OwnerId) -> agent_services::Result<Vec<RunId>> {
        self.inner.signals(owner).await
    }

    async fn heartbeat(&self, owner: &OwnerId, lease: Duration) -> agent_services::Result<()> {
        self.inner.heartbeat(owner, lease).await
    }

    async fn retire(&self, owner: &OwnerId) -> agent_services::Result<()> {
        self.inner.retire(owner).await
    }

    async fn orphans(&self, size: PageSize) -> agent_services::Result<Vec<RunId>> {
        self.inner.orphans(size).await
    }

    async fn take_over(&self, id: &RunId, owner: &OwnerId) -> agent_services::Result<Option<FencingToken>> {
        self.inner.take_over(id, owner).await
    }

    async fn attend(&self, id: &RunId, time: Duration) -> agent_services::Result<()> {
        self.inner.attend(id, time).await
    }

    async fn attended(&self, id: &RunId) -> agent_services::Result<Duration> {
        self.inner.attended(id).await
    }

    async fn sweep(&self) -> agent_services::Result<u64> {
        self.inner.sweep().await
    }

    async fn delete(&self, id: &RunId) -> agent_services::Result<bool> {
        self.inner.delete(id).await
    }
}

#[async_trait]
impl Service for StallingStore {
    async fn start(&self) -> agent_services::Result<()> {
        self.inner.start().await
    }

    async fn stop(&self) -> agent_services::Result<()> {
        self.inner.stop().await
    }

    async fn health(&self) -> agent_services::Result<()> {
        self.inner.health().await
    }
}
