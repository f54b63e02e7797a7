//! The reference backend: sessions in this process's memory.

mod kept;

use std::sync::Arc;

use agent_schemas::{SessionId, UserId};
use async_trait::async_trait;
use parking_lot::RwLock;

use self::kept::{Session, SessionTable, decode};

use super::{Appended, MessageBatch, SessionChange, SessionInfo, SessionStore, StoredMessage};
use crate::context::StoreContext;
use crate::lifecycle::Started;
use crate::limits::json_text;
use crate::memory_budget::{DropOldest, MemoryBudget};
use crate::page::{Page, PageSize, PageToken};
use crate::retention::Retention;
use crate::shrink::shrink;
use crate::tenant::UserKey;
use crate::{DatabaseId, Error, ErrorKind, Result, Service};

/// Sessions in this process's memory. They survive a stop and a restart of the store, but not the store itself.
/// Anonymous sessions are kept for ten minutes, and up to 256 MiB of them ([`Self::with_retention`]).
///
/// Memory is limited: beyond the limit, new data is rejected
/// ([`OpenOptions::memory_bytes`](crate::backend::OpenOptions::memory_bytes)).
#[derive(Debug)]
pub struct InMemorySessionStore {
    context: StoreContext,
    started: Started,
    retention: Retention,
    budget: Arc<MemoryBudget>,
    kept: RwLock<SessionTable>,
}

impl Default for InMemorySessionStore {
    fn default() -> Self {
        InMemorySessionStore::new(StoreContext::default())
    }
}

impl InMemorySessionStore {
    /// An empty store.
    pub fn new(context: StoreContext) -> Self {
        let mut started = Started::default();
        started.set_database(Some(DatabaseId::fresh()));
        InMemorySessionStore {
            context,
            started,
            retention: Retention::IN_MEMORY,
            budget: Arc::default(),
            kept: RwLock::default(),
        }
    }

    /// Sets how long anonymous sessions are kept after the last append.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Shares the memory with other stores.
    pub(crate) fn with_budget(mut self, budget: Arc<MemoryBudget>) -> Self {
        self.budget = budget;
        self
    }

    /// Stores messages at the end of a session, without waiting. The messages of a run are stored even if memory is
    /// short, because the run was admitted.
    pub(crate) fn append_now(&self, user: &UserId, id: &SessionId, batch: MessageBatch) -> Result<Appended> {
        const OPERATION: &str = "append to a session";
        let MessageBatch { messages, key, maybe_known, is_anonymous } = batch;
        self.started.check(OPERATION, &[user.as_str(), id.as_str(), key.as_deref().unwrap_or_default()])?;
        for message in &messages {
            self.context.limits.check_item(OPERATION, message.json().len())?;
        }
        let now = self.context.clock.unix_seconds();
        let mut kept = self.kept.write();
        let is_new = kept.find(user, id).is_none();
        let session = kept.session(user, id, now);
        let first = session.messages.len() as u64;
        if key.as_ref().is_some_and(|key| session.keys.contains(key)) {
            return Ok(Appended { first, count: 0 });
        }
        let messages = session.unknown(messages, maybe_known);
        let count = messages.len() as u64;
        let bytes: u64 = messages.iter().map(|message| message.json().len() as u64).sum();
        let checked = self.context.limits.check_session(OPERATION, first + count, session.bytes + bytes);
        if let Err(error) = checked {
            if is_new {
                kept.remove(&self.budget, user, id);
            }
            return Err(error);
        }
        session.keys.extend(key);
        session.extend(messages);
        session.info.updated_at = now;
        let is_anonymous = is_anonymous && (is_new || session.place.is_some());
        kept.note(&self.budget, user, id, is_anonymous);
        Ok(Appended { first, count })
    }

    fn read<T>(&self, user: &UserId, id: &SessionId, read: impl FnOnce(&Session) -> T) -> Option<T> {
        let kept = self.kept.read();
        kept.users.get(&UserKey::of(user))?.sessions.get(id).map(|session| read(session))
    }
}

#[async_trait]
impl Service for InMemorySessionStore {
    async fn start(&self) -> Result<()> {
        self.started.start().await
    }

    async fn stop(&self) -> Result<()> {
        self.started.stop().await
    }

    /// Also checks the memory budget, which the in-memory stores share.
    async fn health(&self) -> Result<()> {
        self.started.health().await?;
        self.budget.admit("check the store's health")
    }

    fn database(&self) -> Option<DatabaseId> {
        self.started.database()
    }
}

#[async_trait]
impl SessionStore for InMemorySessionStore {
    async fn create(&self, user: &UserId, id: Option<&SessionId>) -> Result<SessionInfo> {
        let fresh = || SessionId::new(self.context.ids.uuid());
        let id = id.cloned().unwrap_or_else(fresh);
        self.started.check("create a session", &[user.as_str(), id.as_str()])?;
        self.budget.admit("create a session")?;
        let now = self.context.clock.unix_seconds();
        let mut kept = self.kept.write();
        let info = kept.session(user, &id, now).info.clone();
        kept.note(&self.budget, user, &id, false);
        Ok(info)
    }

    async fn get(&self, user: &UserId, id: &SessionId) -> Result<Option<SessionInfo>> {
        self.started.check("get a session", &[user.as_str(), id.as_str()])?;
        Ok(self.read(user, id, |session| session.info.clone()))
    }

    async fn append(&self, user: &UserId, id: &SessionId, batch: MessageBatch) -> Result<Appended> {
        self.budget.admit("append to a session")?;
        self.append_now(user, id, batch)
    }

    async fn messages(
        &self,
        user: &UserId,
        id: &SessionId,
        from: u64,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>> {
        const OPERATION: &str = "read a session";
        self.started.check(OPERATION, &[user.as_str(), id.as_str()])?;
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let found = self.read(user, id, |session| session.stored(from, size.get()));
        Ok(found.map(decode))
    }

    async fn last_messages(
        &self,
        user: &UserId,
        id: &SessionId,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>> {
        const OPERATION: &str = "read a session";
        self.started.check(OPERATION, &[user.as_str(), id.as_str()])?;
        Ok(self.read(user, id, |session| session.last(size.get())).map(decode))
    }

    async fn list(
        &self,
        user: &UserId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<SessionInfo>> {
        self.started.check("list sessions", &[user.as_str()])?;
        let kept = self.kept.read();
        let sessions = kept.users.get(&UserKey::of(user)).into_iter().flat_map(|user| user.sessions.values());
        let mut found: Vec<&SessionInfo> = sessions
            .map(|session| &session.info)
            .filter(|info| after.is_none_or(|after| info.number < after.0))
            .collect();
        found.sort_unstable_by_key(|info| std::cmp::Reverse(info.number));
        let page = found.into_iter().take(size.get() + 1).cloned().collect();
        Ok(Page::from_one_more(page, size, |info| info.number))
    }

    async fn change(&self, user: &UserId, id: &SessionId, change: SessionChange) -> Result<SessionInfo> {
        const OPERATION: &str = "change a session";
        self.started.check(OPERATION, &[user.as_str(), id.as_str()])?;
        let title = change.title.iter().flatten().map(String::len).sum();
        self.context.limits.check_item(OPERATION, title)?;
        let metadata = match &change.metadata {
            Some(metadata) => json_text(OPERATION, metadata)?.len(),
            None => 0,
        };
        self.context.limits.check_item(OPERATION, metadata)?;
        self.budget.admit(OPERATION)?;
        let mut kept = self.kept.write();
        let Some(session) = kept.users.get_mut(&UserKey::of(user)).and_then(|user| user.sessions.get_mut(id))
        else {
            return Err(Error::new(ErrorKind::NotFound, OPERATION, format!("there is no session '{id}'")));
        };
        let info = &mut session.info;
        info.title = change.title.unwrap_or_else(|| info.title.take());
        info.metadata = change.metadata.unwrap_or_else(|| std::mem::take(&mut info.metadata));
        info.updated_at = self.context.clock.unix_seconds();
        session.info_bytes = (title + metadata) as u64;
        let info = session.info.clone();
        kept.note(&self.budget, user, id, false);
        Ok(info)
    }

    async fn delete(&self, user: &UserId, id: &SessionId) -> Result<bool> {
        self.started.check("delete a session", &[user.as_str(), id.as_str()])?;
        Ok(self.kept.write().remove(&self.budget, user, id))
    }

    async fn delete_message(
        &self,
        user: &UserId,
        id: &SessionId,
        position: u64,
        message_id: &str,
    ) -> Result<bool> {
        self.started.check("delete a message", &[user.as_str(), id.as_str()])?;
        let mut kept = self.kept.write();
        let Some(session) = kept.users.get_mut(&UserKey::of(user)).and_then(|user| user.sessions.get_mut(id))
        else {
            return Ok(false);
        };
        let existed = session.delete(position, message_id);
        let is_anonymous = session.place.is_some();
        kept.note(&self.budget, user, id, is_anonymous);
        Ok(existed)
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        self.started.check("delete a user's sessions", &[user.as_str()])?;
        Ok(self.kept.write().remove_user(&self.budget, user))
    }

    async fn sweep(&self) -> Result<Vec<(UserId, SessionId)>> {
        self.started.check("delete old sessions", &[])?;
        let age = i64::try_from(self.retention.age.as_secs()).unwrap_or(i64::MAX);
        let now = self.context.clock.unix_seconds();
        let mut kept = self.kept.write();
        while kept.oldest().is_some_and(|at| now.saturating_sub(at) >= age)
            || kept.anonymous_bytes() > self.retention.bytes
        {
            kept.drop_oldest(&self.budget);
        }
        shrink(&mut kept.users);
        Ok(std::mem::take(&mut kept.forgotten))
    }
}

impl DropOldest for InMemorySessionStore {
    fn oldest(&self) -> Option<(u8, i64)> {
        Some((0, self.kept.read().oldest()?))
    }

    fn drop_oldest(&self) {
        self.kept.write().drop_oldest(&self.budget);
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::Message;

    use super::*;

    #[tokio::test]
    async fn memory__too_much_data__anonymous_sessions_go_and_named_ones_stay() {
        let budget = Arc::new(MemoryBudget::new(100_000));
        let store = Arc::new(InMemorySessionStore::default().with_budget(Arc::clone(&budget)));
        budget.may_drop_from(&store);
        let append = async |user: &str, is_anonymous: bool| {
            let batch = MessageBatch::of(&[Message::user("hello")]).expect("JSON");
            let batch = MessageBatch { is_anonymous, ..batch };
            store.append(&UserId::new(user), &SessionId::new("s"), batch).await.map(drop)
        };
        for number in 0..200 {
            append(&number.to_string(), true).await.expect("old ones made room");
            append("named", false).await.expect("old ones made room");
        }
        assert!(store.kept.read().users.len() < 50, "{}", store.kept.read().users.len());
        let kept = store.get(&UserId::new("named"), &SessionId::new("s")).await.expect("readable");
        assert_eq!(kept.expect("kept").message_count, 200);
        assert!(store.sweep().await.expect("swept").len() > 150, "it says which are gone");
        let mut named = 0;
        let refused = loop {
            match append(&format!("named {named}"), false).await {
                Ok(()) => named += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(refused.kind(), ErrorKind::Full);
        assert!(store.delete(&UserId::new("named"), &SessionId::new("s")).await.expect("deleted"));
        append("again", false).await.expect("there is room");
    }
}
