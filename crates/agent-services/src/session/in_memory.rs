//! The reference backend: sessions in this process, gone with it.

mod budget;

use std::collections::{HashMap, HashSet};

use agent_schemas::{Message, SessionId, UserId};
use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};

use self::budget::Budget;

use super::{Appended, MessageBatch, SessionChange, SessionInfo, SessionStore, StoredMessage};
use crate::context::StoreContext;
use crate::lifecycle::{Started, lifecycle_of};
use crate::limits::json_bytes;
use crate::page::{Cursor, Listed, PageSize};
use crate::{Error, ErrorKind, Result};

/// How much memory sessions may take together unless another limit is set.
const MAX_BYTES: u64 = 256 << 20;

/// Sessions in memory. They outlive a stop and a new start, but not the store.
///
/// Memory is bounded: where all sessions together grow beyond 256 MiB ([`Self::with_max_bytes`]), those that were not
/// written for the longest time are forgotten.
#[derive(Debug)]
pub struct InMemorySessionStore {
    context: StoreContext,
    started: Started,
    users: RwLock<HashMap<UserId, User>>,
    /// Locked only while `users` is locked for writing.
    budget: Mutex<Budget>,
}

impl Default for InMemorySessionStore {
    fn default() -> Self {
        InMemorySessionStore::new(StoreContext::default())
    }
}

#[derive(Debug, Default)]
struct User {
    sessions: HashMap<SessionId, Session>,
    /// The number of the session that was made last.
    last_number: u64,
}

#[derive(Debug)]
struct Session {
    info: SessionInfo,
    messages: Vec<Message>,
    bytes: u64,
    ids: HashSet<String>,
    keys: HashSet<String>,
}

impl InMemorySessionStore {
    /// A store without sessions.
    pub fn new(context: StoreContext) -> Self {
        let budget = Mutex::new(Budget::new(MAX_BYTES));
        InMemorySessionStore { context, started: Started::default(), users: RwLock::default(), budget }
    }

    /// Sets how much memory all sessions may take together, roughly, in bytes.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.budget.get_mut().max_bytes = bytes;
        self
    }

    /// Notes the size of a session that was written, and forgets others where memory is short.
    fn note(&self, users: &mut HashMap<UserId, User>, user: &UserId, id: &SessionId, bytes: u64) {
        for (user, id) in self.budget.lock().note(user, id, bytes) {
            if let Some(owner) = users.get_mut(&user) {
                owner.sessions.remove(&id);
                if owner.sessions.is_empty() {
                    users.remove(&user);
                }
            }
        }
    }

    fn read<T>(&self, user: &UserId, id: &SessionId, read: impl FnOnce(&Session) -> T) -> Option<T> {
        self.users.read().get(user)?.sessions.get(id).map(read)
    }
}

impl User {
    fn session(&mut self, user: &UserId, id: &SessionId, now: i64) -> &mut Session {
        let last_number = &mut self.last_number;
        self.sessions.entry(id.clone()).or_insert_with(|| {
            *last_number += 1;
            let info = SessionInfo::new(user.clone(), id.clone(), *last_number, now);
            let (messages, ids, keys) = (Vec::new(), HashSet::new(), HashSet::new());
            Session { info, messages, bytes: 0, ids, keys }
        })
    }
}

impl Session {
    /// The messages of a batch that are to be stored, and their size.
    fn unknown(&self, batch: &MessageBatch, sizes: &[u64]) -> (Vec<Message>, u64) {
        let mut seen = HashSet::new();
        let mut is_known =
            |id: &str| !id.is_empty() && (self.ids.contains(id) || !seen.insert(id.to_owned()));
        let messages = batch.messages.iter().zip(sizes).enumerate();
        let unknown =
            messages.filter(|(at, (message, _))| *at >= batch.maybe_known || !is_known(&message.id));
        let (messages, sizes): (Vec<Message>, Vec<u64>) =
            unknown.map(|(_, (message, size))| (message.clone(), size)).unzip();
        (messages, sizes.iter().sum())
    }

    fn stored(&self, from: usize, count: usize) -> Vec<StoredMessage> {
        let messages = self.messages.iter().enumerate().skip(from).take(count);
        messages
            .map(|(position, message)| StoredMessage { position: position as u64, message: message.clone() })
            .collect()
    }
}

lifecycle_of!(InMemorySessionStore.started);

#[async_trait]
impl SessionStore for InMemorySessionStore {
    async fn create(&self, user: &UserId, id: Option<&SessionId>) -> Result<SessionInfo> {
        let fresh = || SessionId::new(self.context.ids.uuid());
        let id = id.cloned().unwrap_or_else(fresh);
        self.started.check("create a session", &[user.as_str(), id.as_str()])?;
        let mut users = self.users.write();
        let now = self.context.clock.unix_seconds();
        let session = users.entry(user.clone()).or_default().session(user, &id, now);
        let (info, bytes) = (session.info.clone(), session.bytes);
        self.note(&mut users, user, &id, bytes);
        Ok(info)
    }

    async fn get(&self, user: &UserId, id: &SessionId) -> Result<Option<SessionInfo>> {
        self.started.check("get a session", &[user.as_str(), id.as_str()])?;
        Ok(self.read(user, id, |session| session.info.clone()))
    }

    async fn append(&self, user: &UserId, id: &SessionId, batch: MessageBatch) -> Result<Appended> {
        const OPERATION: &str = "append to a session";
        let key = batch.key.as_deref().unwrap_or_default();
        self.started.check(OPERATION, &[user.as_str(), id.as_str(), key])?;
        let mut sizes = Vec::new();
        for message in &batch.messages {
            let size = json_bytes(OPERATION, message)?.len();
            self.context.limits.check_item(OPERATION, size)?;
            sizes.push(size as u64);
        }
        let now = self.context.clock.unix_seconds();
        let mut users = self.users.write();
        let owner = users.entry(user.clone()).or_default();
        let is_new = !owner.sessions.contains_key(id);
        let session = owner.session(user, id, now);
        let first = session.messages.len() as u64;
        if batch.key.as_ref().is_some_and(|key| session.keys.contains(key)) {
            return Ok(Appended { first, count: 0 });
        }
        let (messages, bytes) = session.unknown(&batch, &sizes);
        let count = messages.len() as u64;
        if let Err(error) = self.context.limits.check_session(OPERATION, first + count, session.bytes + bytes)
        {
            if is_new {
                owner.sessions.remove(id);
            }
            return Err(error);
        }
        session.keys.extend(batch.key);
        session.ids.extend(messages.iter().map(|message| message.id.clone()));
        session.bytes += bytes;
        session.messages.extend(messages);
        session.info.message_count = first + count;
        session.info.updated_at = now;
        let bytes = session.bytes;
        self.note(&mut users, user, id, bytes);
        Ok(Appended { first, count })
    }

    async fn messages(
        &self,
        user: &UserId,
        id: &SessionId,
        from: u64,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>> {
        self.started.check("read a session", &[user.as_str(), id.as_str()])?;
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        Ok(self.read(user, id, |session| session.stored(from, size.get())))
    }

    async fn last_messages(
        &self,
        user: &UserId,
        id: &SessionId,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>> {
        self.started.check("read a session", &[user.as_str(), id.as_str()])?;
        let last =
            |session: &Session| session.stored(session.messages.len().saturating_sub(size.get()), size.get());
        Ok(self.read(user, id, last))
    }

    async fn list(
        &self,
        user: &UserId,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<Listed<SessionInfo>> {
        self.started.check("list sessions", &[user.as_str()])?;
        let users = self.users.read();
        let sessions = users.get(user).into_iter().flat_map(|user| user.sessions.values());
        let mut found: Vec<&SessionInfo> = sessions
            .map(|session| &session.info)
            .filter(|info| after.is_none_or(|after| info.number < after.0))
            .collect();
        found.sort_unstable_by_key(|info| std::cmp::Reverse(info.number));
        let page = found.into_iter().take(size.get() + 1).cloned().collect();
        Ok(Listed::from_one_more(page, size, |info| info.number))
    }

    async fn change(&self, user: &UserId, id: &SessionId, change: SessionChange) -> Result<SessionInfo> {
        const OPERATION: &str = "change a session";
        self.started.check(OPERATION, &[user.as_str(), id.as_str()])?;
        let title = change.title.iter().flatten().map(String::len).sum();
        self.context.limits.check_item(OPERATION, title)?;
        if let Some(metadata) = &change.metadata {
            self.context.limits.check_item(OPERATION, json_bytes(OPERATION, metadata)?.len())?;
        }
        let mut users = self.users.write();
        let Some(session) = users.get_mut(user).and_then(|user| user.sessions.get_mut(id)) else {
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
        let mut users = self.users.write();
        self.budget.lock().forget(user, id);
        Ok(users.get_mut(user).is_some_and(|user| user.sessions.remove(id).is_some()))
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        self.started.check("delete a user's sessions", &[user.as_str()])?;
        let mut users = self.users.write();
        // The number of the last session stays, so that cursors from before keep their meaning.
        let sessions = users.get_mut(user).map(|user| std::mem::take(&mut user.sessions)).unwrap_or_default();
        let mut budget = self.budget.lock();
        sessions.keys().for_each(|id| budget.forget(user, id));
        Ok(sessions.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_is_bounded_and_the_session_in_use_stays() {
        let store = InMemorySessionStore::default().with_max_bytes(100_000);
        let append = async |user: &str, text: &str| {
            let batch = MessageBatch::from(vec![Message::user(text)]);
            store.append(&UserId::new(user), &SessionId::new("s"), batch).await.expect("appended")
        };
        for number in 0..200 {
            append(&number.to_string(), "hello").await;
            append("in use", "hello").await;
        }
        assert!(store.users.read().len() < 50, "{}", store.users.read().len());
        let kept = store.get(&UserId::new("in use"), &SessionId::new("s")).await.expect("readable");
        assert_eq!(kept.expect("kept").message_count, 200);
        append("large", &"x".repeat(200_000)).await;
        assert_eq!(store.users.read().len(), 1, "what was just written stays, however large");
    }
}
