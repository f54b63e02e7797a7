//! The store of sessions in SQLite.

use std::sync::Arc;

use agent_schemas::{SessionId, UserId};
use async_trait::async_trait;

use super::database::SqliteDatabase;
use super::sessions::{append, change, read, sweep};
use super::statement::bounded;
use super::store::Access;
use crate::Result;
use crate::context::StoreContext;
use crate::lifecycle::lifecycle_of;
use crate::page::{Page, PageSize, PageToken};
use crate::retention::Retention;
use crate::session::{Appended, MessageBatch, SessionChange, SessionInfo, SessionStore, StoredMessage};

/// Sessions in a database. They survive the end of the process. Anonymous sessions are kept for a day, up to 1 GiB
/// ([`Self::with_retention`]).
#[derive(Debug)]
pub struct SqliteSessionStore {
    context: StoreContext,
    retention: Retention,
    access: Access,
}

impl SqliteSessionStore {
    /// The sessions of a database. Each has room for 16,777,216 messages, should the limits allow that many.
    pub fn new(database: SqliteDatabase, context: StoreContext) -> Self {
        SqliteSessionStore { context, retention: Retention::DURABLE, access: Access::new(database) }
    }

    /// Sets how long anonymous sessions are kept after the last append.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }
}

lifecycle_of!(SqliteSessionStore.access);

#[async_trait]
impl SessionStore for SqliteSessionStore {
    async fn create(&self, user: &UserId, id: Option<&SessionId>) -> Result<SessionInfo> {
        const OPERATION: &str = "create a session";
        let id = id.cloned().unwrap_or_else(|| SessionId::new(self.context.ids.uuid()));
        self.access.check(OPERATION, &[user.as_str(), id.as_str()])?;
        let (user, clock) = (user.clone(), Arc::clone(&self.context.clock));
        let create = move |connection: &_| change::create(connection, &user, &id, clock.unix_seconds());
        self.access.write(OPERATION, create).await
    }

    async fn get(&self, user: &UserId, id: &SessionId) -> Result<Option<SessionInfo>> {
        const OPERATION: &str = "get a session";
        self.access.check(OPERATION, &[user.as_str(), id.as_str()])?;
        let (user, id) = (user.clone(), id.clone());
        self.access.read(OPERATION, move |connection| read::info(connection, &user, &id)).await
    }

    async fn append(&self, user: &UserId, id: &SessionId, batch: MessageBatch) -> Result<Appended> {
        const OPERATION: &str = append::OPERATION;
        let key = batch.key.as_deref().unwrap_or_default();
        self.access.check(OPERATION, &[user.as_str(), id.as_str(), key])?;
        let append = append::Append::new(batch, self.context.limits)?;
        let (user, id, clock) = (user.clone(), id.clone(), Arc::clone(&self.context.clock));
        let append = move |connection: &_| append.run(connection, &user, &id, clock.unix_seconds());
        self.access.write(OPERATION, append).await
    }

    async fn messages(
        &self,
        user: &UserId,
        id: &SessionId,
        from: u64,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>> {
        const OPERATION: &str = "read a session";
        self.access.check(OPERATION, &[user.as_str(), id.as_str()])?;
        let (user, id) = (user.clone(), id.clone());
        let read = move |connection: &_| read::messages(connection, &user, &id, |_| from, size);
        self.access.read(OPERATION, read).await
    }

    async fn last_messages(
        &self,
        user: &UserId,
        id: &SessionId,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>> {
        const OPERATION: &str = "read a session";
        self.access.check(OPERATION, &[user.as_str(), id.as_str()])?;
        let (user, id) = (user.clone(), id.clone());
        let from = move |count: u64| count.saturating_sub(size.get() as u64);
        let read = move |connection: &_| read::messages(connection, &user, &id, from, size);
        self.access.read(OPERATION, read).await
    }

    async fn list(
        &self,
        user: &UserId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<SessionInfo>> {
        const OPERATION: &str = "list sessions";
        self.access.check(OPERATION, &[user.as_str()])?;
        let (user, before) = (user.clone(), bounded(after.map_or(u64::MAX, |after| after.0)));
        let read = move |connection: &_| read::list(connection, &user, before, size.get() + 1);
        let page = self.access.read(OPERATION, read).await?;
        Ok(Page::from_one_more(page, size, |info| info.number))
    }

    async fn change(&self, user: &UserId, id: &SessionId, change: SessionChange) -> Result<SessionInfo> {
        const OPERATION: &str = change::OPERATION;
        self.access.check(OPERATION, &[user.as_str(), id.as_str()])?;
        let change = change::Change::new(user, id, change, &self.context.limits)?;
        let clock = Arc::clone(&self.context.clock);
        self.access.write(OPERATION, move |connection| change.run(connection, clock.unix_seconds())).await
    }

    async fn delete(&self, user: &UserId, id: &SessionId) -> Result<bool> {
        const OPERATION: &str = "delete a session";
        self.access.check(OPERATION, &[user.as_str(), id.as_str()])?;
        let (user, id) = (user.clone(), id.clone());
        self.access.write(OPERATION, move |connection| change::delete(connection, &user, &id)).await
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        const OPERATION: &str = "delete a user's sessions";
        self.access.check(OPERATION, &[user.as_str()])?;
        let user = user.clone();
        self.access.write(OPERATION, move |connection| change::delete_user(connection, &user)).await
    }

    async fn sweep(&self) -> Result<Vec<(UserId, SessionId)>> {
        const OPERATION: &str = "delete old sessions";
        let mut forgotten = Vec::new();
        loop {
            let (retention, clock) = (self.retention, Arc::clone(&self.context.clock));
            let step = move |connection: &_| sweep::sweep(connection, &retention, clock.unix_seconds());
            let names = self.access.write(OPERATION, step).await?;
            if names.is_empty() {
                return Ok(forgotten);
            }
            forgotten.extend(names);
        }
    }
}
