//! The store of runs in SQLite.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{Clock, RunId, SessionId, UserId};
use async_trait::async_trait;
use rusqlite::Connection;

use super::database::SqliteDatabase;
use super::failure::Outcome;
use super::runs::entries::{self, EncodedBatch};
use super::runs::finish::{FINISH, Finish};
use super::runs::notifications::Notifications;
use super::runs::{cancel, create, log, owners, read, retention, steered, steps};
use super::sessions::append::Append;
use super::statement::bounded;
use super::store::Access;
use super::writer::Urgency;
use crate::Result;
use crate::context::StoreContext;
use crate::lifecycle::lifecycle_of;
use crate::page::{Page, PageSize, PageToken};
use crate::run::wakeups::Wakeups;
use crate::run::{
    Batch, Canceled, ChainedRun, Created, FencingToken, FinishRun, Finished, LogChunk, NewRun, OwnerId,
    Retention, RunFilter, RunRecord, RunStore, Step, Written,
};
use crate::session::MessageBatch;

/// Runs in a database. They survive the end of the process. Ended runs are kept for a day, up to 1 GiB
/// ([`Self::with_retention`]).
///
/// Processes that executed runs when the database was last open must have ended, so nothing waits for their leases.
///
/// `wait` is woken by the stores of the same [`SqliteDatabase`]. Nothing would wake a read-only store, so it rejects
/// `wait`.
#[derive(Debug)]
pub struct SqliteRunStore {
    context: StoreContext,
    retention: Retention,
    access: Access,
    wakeups: Arc<Wakeups>,
}

impl SqliteRunStore {
    /// The runs of a database.
    pub fn new(database: SqliteDatabase, context: StoreContext) -> Self {
        let wakeups = Arc::clone(database.wakeups());
        let access = Access::new(database);
        SqliteRunStore { context, retention: Retention::DURABLE, access, wakeups }
    }

    /// Sets how long ended runs are kept.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.context.clock)
    }

    /// Writes at once, all or nothing, and then notifies the waiting tasks, even if the caller no longer waits.
    async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl Fn(&Connection, &mut Notifications) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        self.write_with(operation, Urgency::Now, work).await
    }

    /// The same with another urgency.
    async fn write_with<T: Send + 'static>(
        &self,
        operation: &'static str,
        urgency: Urgency,
        work: impl Fn(&Connection, &mut Notifications) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        let mut notifications = Notifications::new(Arc::clone(&self.wakeups));
        let work = move |connection: &Connection| {
            notifications.clear();
            work(connection, &mut notifications).inspect_err(|_| notifications.clear())
        };
        self.access.write_with(operation, urgency, work).await
    }

    /// The same for a change to a single run.
    async fn write_to<T: Send + 'static>(
        &self,
        operation: &'static str,
        id: &RunId,
        work: impl Fn(&Connection, &RunId) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        let id = id.clone();
        let work = move |connection: &_, notifications: &mut Notifications| {
            let done = work(connection, &id)?;
            notifications.wake(id.clone());
            Ok(done)
        };
        self.write(operation, work).await
    }

    /// Deletes all present runs of a user or of one session, in several steps.
    async fn forget_all(
        &self,
        operation: &'static str,
        user: &UserId,
        session: Option<&SessionId>,
    ) -> Result<u64> {
        self.access.check(operation, &[user.as_str(), session.map_or("", SessionId::as_str)])?;
        let of = user.clone();
        let last =
            self.access.read(operation, move |connection| retention::last_number(connection, &of)).await?;
        let mut count = 0;
        loop {
            let (user, session) = (user.clone(), session.cloned());
            let step = move |connection: &_, notifications: &mut Notifications| {
                retention::forget_some(connection, &user, session.as_ref(), last, notifications)
            };
            match self.write(operation, step).await? {
                0 => return Ok(count),
                gone => count += gone,
            }
        }
    }

    /// The messages to append to a session; an error if no session would accept them.
    fn history(&self, history: MessageBatch) -> Result<Append> {
        self.access.check(FINISH, &[history.key.as_deref().unwrap_or_default()])?;
        Append::new(history, self.context.limits)
    }
}

/// The entries up to the first words of an answer. Someone is waiting for them.
const FIRST_WORDS: u64 = 8;

/// How urgent it is to append a batch to a run.
fn urgency_of(id: &RunId, batch: &Batch) -> Urgency {
    if batch.first < FIRST_WORDS {
        return Urgency::Now;
    }
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    Urgency::Soon { writer: hasher.finish() }
}

/// The time after this duration; less than a second counts as one.
fn after(now: i64, time: Duration) -> i64 {
    now.saturating_add(bounded(time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))))
}

lifecycle_of!(SqliteRunStore.access);

#[async_trait]
impl RunStore for SqliteRunStore {
    async fn create(&self, run: NewRun) -> Result<Created> {
        const OPERATION: &str = create::OPERATION;
        let key = run.key.as_ref().map_or("", |key| key.key.as_str());
        self.access.check(OPERATION, &[run.record.user_id.as_str(), run.record.session_id.as_str(), key])?;
        let create = create::Create::new(run)?;
        self.write(OPERATION, move |connection, notifications| create.run(connection, notifications)).await
    }

    async fn get(&self, id: &RunId) -> Result<Option<RunRecord>> {
        let id = id.clone();
        self.access.read("get a run", move |connection| read::get(connection, &id)).await
    }

    async fn append(&self, id: &RunId, token: FencingToken, batch: Batch) -> Result<Written> {
        let urgency = urgency_of(id, &batch);
        let (id, batch) = (id.clone(), EncodedBatch::new(batch));
        let append = move |connection: &_, notifications: &mut Notifications| {
            let written = log::append(connection, &id, token, &batch)?;
            notifications.wake(id.clone());
            Ok(written)
        };
        self.write_with(log::APPEND, urgency, append).await
    }

    async fn seal(
        &self,
        id: &RunId,
        token: FencingToken,
        batch: Batch,
        ending: &str,
        cancel_seen: bool,
    ) -> Result<()> {
        let (batch, ending) = (EncodedBatch::new(batch), ending.to_owned());
        let seal =
            move |connection: &_, id: &_| log::seal(connection, id, token, &batch, &ending, cancel_seen);
        self.write_to(log::SEAL, id, seal).await
    }

    async fn finish(&self, run: FinishRun) -> Result<Finished> {
        let FinishRun { id, token, batch, status, next, history, cancel_seen } = run;
        let history = history.map(|history| self.history(history)).transpose()?;
        let batch = EncodedBatch::new(batch);
        let finish = Finish { id, token, batch, status, next, history, cancel_seen };
        let clock = self.clock();
        let finish = move |connection: &_, notifications: &mut Notifications| {
            let finished = finish.run(connection, clock.unix_seconds())?;
            notifications.wake(finish.id.clone());
            Ok(finished)
        };
        self.write(FINISH, finish).await
    }

    async fn read(&self, id: &RunId, from: u64, max_bytes: usize) -> Result<Option<LogChunk>> {
        let id = id.clone();
        let read = move |connection: &_| entries::read(connection, &id, from, max_bytes);
        self.access.read("read a run", read).await
    }

    async fn chain(&self, id: &RunId, max_bytes: usize) -> Result<Vec<ChainedRun>> {
        let id = id.clone();
        self.access
            .read("read a chain of runs", move |connection| read::chain(connection, id, max_bytes))
            .await
    }

    async fn wait(&self, id: &RunId, from: u64) -> Result<()> {
        const OPERATION: &str = "wait for a run";
        let mut reader = self.wakeups.reader(id);
        let id = id.clone();
        let length = self.access.read(OPERATION, move |connection| entries::length(connection, &id)).await?;
        if length.is_none_or(|log| log.has_ended || log.entries > from) {
            return Ok(());
        }
        self.access.check_is_owner(OPERATION)?;
        reader.woken().await;
        Ok(())
    }

    async fn list(
        &self,
        user: &UserId,
        filter: &RunFilter,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<RunRecord>> {
        const OPERATION: &str = "list runs";
        self.access.check(OPERATION, &[user.as_str()])?;
        let (user, filter) = (user.clone(), filter.clone());
        let before = bounded(after.map_or(u64::MAX, |after| after.0));
        let list = move |connection: &_| read::list(connection, &user, &filter, before, size.get() + 1);
        let page = self.access.read(OPERATION, list).await?;
        Ok(Page::from_one_more(page, size, |record| record.number))
    }

    async fn cancel(&self, id: &RunId, last: Batch) -> Result<Option<Canceled>> {
        let (id, last, clock) = (id.clone(), EncodedBatch::new(last), self.clock());
        self.write(cancel::CANCEL, move |connection, notifications| {
            cancel::cancel(connection, &id, &last, clock.unix_seconds(), notifications)
        })
        .await
    }

    async fn steered(&self, id: &RunId) -> Result<Vec<RunRecord>> {
        let id = id.clone();
        let read = move |connection: &_| read::steered(connection, &id);
        self.access.read("read the input handed to a run", read).await
    }

    async fn drop_steered(&self, id: &RunId, token: FencingToken, taken: &[RunId]) -> Result<()> {
        let (id, taken) = (id.clone(), taken.to_vec());
        let forget = move |connection: &_, notifications: &mut Notifications| {
            steered::drop_steered(connection, &id, token, &taken, notifications)
        };
        self.write(steered::DROP, forget).await
    }

    async fn put_step(&self, id: &RunId, token: FencingToken, step: Step) -> Result<()> {
        step.check(steps::PUT)?;
        let id = id.clone();
        let put = move |connection: &_, _: &mut Notifications| steps::put(connection, &id, token, &step);
        self.write(steps::PUT, put).await
    }

    async fn claim_step(&self, id: &RunId, step: Step) -> Result<Step> {
        step.check(steps::CLAIM)?;
        let id = id.clone();
        let claim = move |connection: &_, _: &mut Notifications| steps::claim(connection, &id, &step);
        self.write(steps::CLAIM, claim).await
    }

    async fn steps(&self, id: &RunId) -> Result<Vec<Step>> {
        let id = id.clone();
        let read = move |connection: &_| steps::of_run(connection, &id);
        self.access.read("read the steps of a run", read).await
    }

    async fn signals(&self, owner: &OwnerId) -> Result<Vec<RunId>> {
        const OPERATION: &str = "wait for signals";
        self.access.check(OPERATION, &[])?;
        self.access.check_is_owner(OPERATION)?;
        Ok(self.wakeups.signals(owner).await)
    }

    async fn heartbeat(&self, owner: &OwnerId, lease: Duration) -> Result<()> {
        let (owner, clock) = (owner.clone(), self.clock());
        let renew = move |connection: &_, _: &mut Notifications| {
            let now = clock.unix_seconds();
            owners::renew(connection, &owner, after(now, lease), now)
        };
        self.write("renew a lease", renew).await
    }

    async fn release_lease(&self, owner: &OwnerId) -> Result<()> {
        let id = owner.clone();
        self.write("release a lease", move |connection, _| owners::release(connection, &id)).await?;
        self.wakeups.forget(owner);
        Ok(())
    }

    async fn orphans(&self, size: PageSize) -> Result<Vec<RunId>> {
        let clock = self.clock();
        let find = move |connection: &_| owners::orphans(connection, clock.unix_seconds(), size.get());
        self.access.read("find orphaned runs", find).await
    }

    async fn take_over(&self, id: &RunId, owner: &OwnerId) -> Result<Option<FencingToken>> {
        let (id, owner, clock) = (id.clone(), owner.clone(), self.clock());
        let take = move |connection: &_, _: &mut Notifications| {
            owners::take_over(connection, &id, &owner, clock.unix_seconds())
        };
        self.write(owners::TAKE_OVER, take).await
    }

    async fn touch_reader(&self, id: &RunId, time: Duration) -> Result<()> {
        let (id, clock) = (id.clone(), self.clock());
        let touch = move |connection: &_, _: &mut Notifications| {
            read::touch_reader(connection, &id, after(clock.unix_seconds(), time))
        };
        self.write(read::TOUCH_READER, touch).await
    }

    async fn reader_ttl(&self, id: &RunId) -> Result<Duration> {
        let id = id.clone();
        let read = move |connection: &_| read::reader_until(connection, &id);
        let until = self.access.read(read::READER_TTL, read).await?;
        let left = until.saturating_sub(self.context.clock.unix_seconds());
        Ok(Duration::from_secs(u64::try_from(left).unwrap_or_default()))
    }

    async fn sweep(&self) -> Result<u64> {
        let mut count = 0;
        loop {
            let (retention, clock) = (self.retention, self.clock());
            let step = move |connection: &_, notifications: &mut Notifications| {
                retention::sweep(connection, &retention, clock.unix_seconds(), notifications)
            };
            match self.write("delete old runs", step).await? {
                Some(gone) => count += gone,
                None => return Ok(count),
            }
        }
    }

    async fn delete(&self, id: &RunId) -> Result<bool> {
        let id = id.clone();
        self.write(retention::DELETE, move |connection, notifications| {
            retention::delete(connection, &id, notifications)
        })
        .await
    }

    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64> {
        self.forget_all("delete a session's runs", user, Some(session)).await
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        self.forget_all("delete a user's runs", user, None).await
    }

    fn retention(&self) -> Retention {
        self.retention
    }
}
