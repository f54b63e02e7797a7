//! The reference backend: sessions in this process's memory.

mod budget;
mod kept;

use std::collections::HashMap;

use agent_schemas::{SessionId, UserId};
use async_trait::async_trait;
use parking_lot::RwLock;

use self::budget::Budget;
use self::kept::{Kept, Session, decode};

use super::{Appended, MessageBatch, SessionChange, SessionInfo, SessionStore, StoredMessage};
use crate::context::StoreContext;
use crate::lifecycle::{Started, lifecycle_of};
use crate::limits::json_text;
use crate::page::{Page, PageSize, PageToken};
use crate::{DatabaseId, Error, ErrorKind, Result};

/// The default limit on the memory of all sessions.
const MAX_BYTES: u64 = 256 << 20;

/// Sessions in memory. They survive a stop and a restart of the store, but not the store itself.
///
/// Memory is limited: if all sessions together exceed 256 MiB ([`Self::with_max_bytes`]), the sessions that were
/// written least recently are dropped.
#[derive(Debug)]
pub struct InMemorySessionStore {
    context: StoreContext,
    started: Started,
    kept: RwLock<Kept>,
}

impl Default for InMemorySessionStore {
    fn default() -> Self {
        InMemorySessionStore::new(StoreContext::default())
    }
}

impl InMemorySessionStore {
    /// An empty store.
    pub fn new(context: StoreContext) -> Self {
        let kept = Kept { users: HashMap::default(), budget: Budget::new(MAX_BYTES) };
        let mut started = Started::default();
        started.set_database(Some(DatabaseId::fresh()));
        InMemorySessionStore { context, started, kept: RwLock::new(kept) }
    }

    /// Sets the approximate limit on the memory of all sessions, in bytes.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.kept.get_mut().budget.max_bytes = bytes;
        self
    }

    /// Stores messages at the end of a session, without waiting.
    pub(crate) fn append_now(&self, user: &UserId, id: &SessionId, batch: MessageBatch) -> Result<Appended> {
        const OPERATION: &str = "append to a session";
        let MessageBatch { messages, key, maybe_known } = batch;
        self.started.check(OPERATION, &[user.as_str(), id.as_str(), key.as_deref().unwrap_or_default()])?;
        for message in &messages {
            self.context.limits.check_item(OPERATION, message.json().len())?;
        }
        let now = self.context.clock.unix_seconds();
        let mut kept = self.kept.write();
        let (session, budget) = kept.session(user, id, now);
        let first = session.messages.len() as u64;
        if key.as_ref().is_some_and(|key| session.keys.contains(key)) {
            return Ok(Appended { first, count: 0 });
        }
        let messages = session.unknown(messages, maybe_known);
        let count = messages.len() as u64;
        let bytes: u64 = messages.iter().map(|message| message.json().len() as u64).sum();
        let checked = self.context.limits.check_session(OPERATION, first + count, session.bytes + bytes);
        if let Err(error) = checked {
            if session.share.is_new() {
                kept.remove(user, id);
            }
            return Err(error);
        }
        session.keys.extend(key);
        session.extend(messages);
        session.info.updated_at = now;
        session.note(budget);
        kept.make_room();
        Ok(Appended { first, count })
    }

    fn read<T>(&self, user: &UserId, id: &SessionId, read: impl FnOnce(&Session) -> T) -> Option<T> {
        let kept = self.kept.read();
        kept.users.get(user)?.sessions.get(id).map(|session| read(session))
    }
}

lifecycle_of!(InMemorySessionStore.started);

#[async_trait]
impl SessionStore for InMemorySessionStore {
    async fn create(&self, user: &UserId, id: Option<&SessionId>) -> Result<SessionInfo> {
        let fresh = || SessionId::new(self.context.ids.uuid());
        let id = id.cloned().unwrap_or_else(fresh);
        self.started.check("create a session", &[user.as_str(), id.as_str()])?;
        let now = self.context.clock.unix_seconds();
        let mut kept = self.kept.write();
        let (session, budget) = kept.session(user, &id, now);
        session.note(budget);
        let info = session.info.clone();
        kept.make_room();
        Ok(info)
    }

    async fn get(&self, user: &UserId, id: &SessionId) -> Result<Option<SessionInfo>> {
        self.started.check("get a session", &[user.as_str(), id.as_str()])?;
        Ok(self.read(user, id, |session| session.info.clone()))
    }

    async fn append(&self, user: &UserId, id: &SessionId, batch: MessageBatch) -> Result<Appended> {
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
        found.map(|found| decode(OPERATION, found)).transpose()
    }

    async fn last_messages(
        &self,
        user: &UserId,
        id: &SessionId,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>> {
        const OPERATION: &str = "read a session";
        self.started.check(OPERATION, &[user.as_str(), id.as_str()])?;
        let last =
            |session: &Session| session.stored(session.messages.len().saturating_sub(size.get()), size.get());
        self.read(user, id, last).map(|found| decode(OPERATION, found)).transpose()
    }

    async fn list(
        &self,
        user: &UserId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<SessionInfo>> {
        self.started.check("list sessions", &[user.as_str()])?;
        let kept = self.kept.read();
        let sessions = kept.users.get(user).into_iter().flat_map(|user| user.sessions.values());
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
        if let Some(metadata) = &change.metadata {
            self.context.limits.check_item(OPERATION, json_text(OPERATION, metadata)?.len())?;
        }
        let mut kept = self.kept.write();
        let Some(session) = kept.users.get_mut(user).and_then(|user| user.sessions.get_mut(id)) else {
            return Err(Error::new(ErrorKind::NotFound, OPERATION, format!("there is no session '{id}'")));
        };
        let info = &mut session.info;
        info.title = change.title.unwrap_or_else(|| info.title.take());
        info.metadata = change.metadata.unwrap_or_else(|| std::mem::take(&mut info.metadata));
        info.updated_at = self.context.clock.unix_seconds();
        Ok(info.clone())
    }

    async fn delete(&self, user: &UserId, id: &SessionId) -> Result<bool> {
        self.started.check("delete a session", &[user.as_str(), id.as_str()])?;
        Ok(self.kept.write().remove(user, id))
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        self.started.check("delete a user's sessions", &[user.as_str()])?;
        let Kept { users, budget } = &mut *self.kept.write();
        // The last session's number stays, so that earlier cursors keep their meaning.
        let sessions = users.get_mut(user).map(|user| std::mem::take(&mut user.sessions)).unwrap_or_default();
        sessions.values().for_each(|session| drop(budget.forget(&session.share)));
        Ok(sessions.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::Message;

    use super::*;

    #[tokio::test]
    async fn store__memory_limit__evicts_idle_sessions() {
        let store = InMemorySessionStore::default().with_max_bytes(100_000);
        let append = async |user: &str, text: &str| {
            let batch = MessageBatch::of(&[Message::user(text)]).expect("JSON");
            store.append(&UserId::new(user), &SessionId::new("s"), batch).await.expect("appended")
        };
        for number in 0..200 {
            append(&number.to_string(), "hello").await;
            append("in use", "hello").await;
        }
        assert!(store.kept.read().users.len() < 50, "{}", store.kept.read().users.len());
        let kept = store.get(&UserId::new("in use"), &SessionId::new("s")).await.expect("readable");
        assert_eq!(kept.expect("kept").message_count, 200);
        append("large", &"x".repeat(200_000)).await;
        assert_eq!(store.kept.read().users.len(), 1, "the last written session stays, however large");
    }
}
