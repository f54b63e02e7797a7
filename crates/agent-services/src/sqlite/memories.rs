//! Memories in SQLite.

mod change;
mod postings;
mod read;

use std::sync::Arc;

use agent_schemas::{Message, SessionId, UserId};
use async_trait::async_trait;
use tokio::task::spawn_blocking;

use super::database::SqliteDatabase;
use super::statement::bounded;
use super::store::Access;
use crate::context::StoreContext;
use crate::lifecycle::lifecycle_of;
use crate::memory::{Memory, MemoryQuery, MemoryStore, Recalled};
use crate::page::{Page, PageSize, PageToken};
use crate::{Error, ErrorKind, Result};

#[cfg(test)]
pub(super) use {change::STATEMENTS as CHANGE, postings::STATEMENTS as POSTINGS, read::STATEMENTS as READ};

/// Memories in a database. They survive the end of the process.
#[derive(Debug)]
pub struct SqliteMemoryStore {
    context: StoreContext,
    access: Access,
}

impl SqliteMemoryStore {
    /// The memories of a database.
    pub fn new(database: SqliteDatabase, context: StoreContext) -> Self {
        SqliteMemoryStore { context, access: Access::new(database) }
    }
}

lifecycle_of!(SqliteMemoryStore.access);

#[async_trait]
impl MemoryStore for SqliteMemoryStore {
    async fn add(&self, user: &UserId, session: &SessionId, messages: Vec<Message>) -> Result<Vec<u64>> {
        const OPERATION: &str = change::OPERATION;
        self.access.check(OPERATION, &[user.as_str(), session.as_str()])?;
        let (user, session, limits) = (user.clone(), session.clone(), self.context.limits);
        // Finding the words of long texts takes a while.
        let prepared = spawn_blocking(move || change::Addition::new(user, session, &messages, &limits)).await;
        let addition = prepared.map_err(|error| {
            Error::new(ErrorKind::Unexpected, OPERATION, "the database task was interrupted")
                .with_source(error)
        })??;
        let clock = Arc::clone(&self.context.clock);
        self.access.write(OPERATION, move |connection| addition.run(connection, clock.unix_seconds())).await
    }

    async fn search(&self, user: &UserId, query: &MemoryQuery) -> Result<Vec<Recalled>> {
        const OPERATION: &str = "search memories";
        self.access.check(OPERATION, &[user.as_str()])?;
        query.check()?;
        let (user, query) = (user.clone(), query.clone());
        self.access.read(OPERATION, move |connection| read::search(connection, &user, &query)).await
    }

    async fn list(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<Memory>> {
        const OPERATION: &str = "list memories";
        self.access.check(OPERATION, &[user.as_str(), session.map_or("", SessionId::as_str)])?;
        let (user, session) = (user.clone(), session.cloned());
        let before = bounded(after.map_or(u64::MAX, |after| after.0));
        let list =
            move |connection: &_| read::list(connection, &user, session.as_ref(), before, size.get() + 1);
        let page = self.access.read(OPERATION, list).await?;
        Ok(Page::from_one_more(page, size, |memory| memory.number))
    }

    async fn delete(&self, user: &UserId, number: u64) -> Result<bool> {
        const OPERATION: &str = "delete a memory";
        self.access.check(OPERATION, &[user.as_str()])?;
        let user = user.clone();
        self.access.write(OPERATION, move |connection| change::delete(connection, &user, number)).await
    }

    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64> {
        const OPERATION: &str = "delete memories";
        self.access.check(OPERATION, &[user.as_str(), session.as_str()])?;
        let (user, session) = (user.clone(), session.clone());
        let delete = move |connection: &_| change::delete_session(connection, &user, &session);
        self.access.write(OPERATION, delete).await
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        const OPERATION: &str = "delete memories";
        self.access.check(OPERATION, &[user.as_str()])?;
        let user = user.clone();
        self.access.write(OPERATION, move |connection| change::delete_user(connection, &user)).await
    }
}
