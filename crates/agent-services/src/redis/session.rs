//! Sessions in Redis. Each is one hash, so that it changes, expires and is deleted as a whole.

mod codec;

use std::time::Duration;

use ::redis::cmd;
use agent_schemas::{SessionId, UserId};
use async_trait::async_trait;

use self::codec::Info;
use super::client::RedisClient;
use super::failure::foreign;
use super::keys;
use super::script::{Call, Script, script};
use super::store::{Backend, LARGE_ANSWER, STEP, decode, millis, service};
use crate::context::StoreContext;
use crate::limits::json_text;
use crate::page::{Page, PageSize, PageToken};
use crate::retention::Retention;
use crate::session::{Appended, MessageBatch, SessionChange, SessionInfo, SessionStore, StoredMessage};
use crate::{Error, ErrorKind, Result};

script!(CREATE, "session/common.lua", "session/create.lua");
script!(APPEND, "session/common.lua", "session/append.lua");
script!(CHANGE, "session/common.lua", "session/change.lua");
script!(TOUCH, "session/common.lua", "session/touch.lua");
script!(INFOS, "session/common.lua", "session/infos.lua");
script!(MESSAGES, "session/common.lua", "session/messages.lua");
script!(DELETE, "session/common.lua", "session/delete.lua");
script!(RETIRE, "session/retire.lua");

/// Positions from here on mean the end: it is the greatest integer that a script represents exactly, and more messages
/// than any session has.
const MAX_POSITION: u64 = 1 << 53;

/// A part of a session: its number, its number of messages, the position of the first of these, and the messages.
type Part = (u64, u64, u64, Vec<Option<Vec<u8>>>);

/// Sessions in Redis.
///
/// An append with a batch key is repeated automatically after a lost reply; it then counts as a repeated batch.
#[derive(Debug)]
pub struct RedisSessionStore {
    backend: Backend,
    anonymous_age: Duration,
}

service!(RedisSessionStore);

impl RedisSessionStore {
    /// A store that keeps sessions until they are deleted.
    pub fn new(client: RedisClient, context: StoreContext) -> Self {
        RedisSessionStore { backend: Backend::new(client, context), anonymous_age: Retention::DURABLE.age }
    }

    /// Sets how long anonymous sessions are kept after the last append. They expire in Redis, by their age alone.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.anonymous_age = retention.age;
        self
    }

    /// The same, but a session that has not been used for this time expires with its messages.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.backend.set_ttl(ttl);
        self
    }

    fn key(&self, user: &UserId, member: &str) -> String {
        self.backend.keys().of_session(user, "session", member)
    }

    /// The index by number, the index by time of expiry, and the last number.
    fn indexes(&self, user: &UserId) -> [String; 3] {
        ["sessions", "sessions:expiry", "sessions:last"].map(|kind| self.backend.keys().of_user(user, kind))
    }

    /// A call of a script that writes one session.
    fn write(&self, script: &'static Script, user: &UserId, id: &SessionId) -> Call {
        let member = keys::of(id);
        let keys = [self.key(user, &member)].into_iter().chain(self.indexes(user));
        script.with_keys(keys).arg(&member).arg(self.backend.ttl_ms())
    }

    /// Extends the life of a session that was read.
    async fn touch(&self, operation: &'static str, user: &UserId, id: &SessionId) -> Result<()> {
        if self.backend.ttl_ms() == 0 {
            return Ok(());
        }
        self.backend.repeatable(operation, self.write(&TOUCH, user, id)).await
    }

    /// The fields of the first of these sessions, of at least one; an error for data that is not a session.
    async fn infos(
        &self,
        operation: &'static str,
        user: &UserId,
        members: &[(String, u64)],
    ) -> Result<Vec<Option<Result<SessionInfo>>>> {
        let keys = members.iter().map(|(member, _)| self.key(user, member));
        let call = INFOS.with_keys(keys).arg(LARGE_ANSWER);
        let found: Vec<Option<Info>> = self.backend.repeatable(operation, call).await?;
        if found.is_empty() && !members.is_empty() {
            return Err(foreign(operation));
        }
        Ok(found.into_iter().map(|info| info.map(|info| info.decode(operation, user))).collect())
    }

    /// Messages from a position on, or the last ones. Large results are read in several replies. Positions
    /// never change, so the end at the first reply is the end for all of them.
    async fn read(
        &self,
        user: &UserId,
        id: &SessionId,
        from: Option<u64>,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>> {
        const OPERATION: &str = "read a session";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), id.as_str()])?;
        let key = self.key(user, &keys::of(id));
        let mut found: Vec<StoredMessage> = Vec::new();
        // The session that is read, the start of the next reply, and the end of the last.
        let mut reading: Option<(u64, u64, u64)> = None;
        loop {
            let call = MESSAGES.with_keys([key.clone()]);
            let call = match (reading, from) {
                (Some((_, next, end)), _) => call.arg(next).arg(end - next),
                (None, Some(from)) => call.arg(from.min(MAX_POSITION)).arg(size.get()),
                (None, None) => call.arg(format!("-{}", size.get())).arg(size.get()),
            };
            let answer: Option<Part> = self.backend.repeatable(OPERATION, call.arg(LARGE_ANSWER)).await?;
            let Some((number, total, first, messages)) = answer else { return Ok(None) };
            let end = match reading {
                // Another session with the same id has replaced it.
                Some((before, ..)) if before != number => {
                    found.clear();
                    reading = None;
                    continue;
                }
                Some((_, _, end)) => end,
                None => total.min(first + size.get() as u64),
            };
            let next = first + messages.len() as u64;
            for (position, message) in (first..).zip(messages) {
                let message = message.ok_or_else(|| foreign(OPERATION));
                let message = message.and_then(|message| decode(OPERATION, &message));
                found.push(StoredMessage::of_read(position, message));
            }
            if next >= end {
                break;
            }
            reading = Some((number, next, end));
        }
        self.touch(OPERATION, user, id).await?;
        Ok(Some(found))
    }
}

/// The field for a message's id; empty for a message without one.
fn id_field(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("d:{}", keys::encode(id)) }
}

#[async_trait]
impl SessionStore for RedisSessionStore {
    async fn create(&self, user: &UserId, id: Option<&SessionId>) -> Result<SessionInfo> {
        const OPERATION: &str = "create a session";
        let fresh = || SessionId::new(self.backend.context.ids.uuid());
        let id = id.cloned().unwrap_or_else(fresh);
        let _call = self.backend.begin(OPERATION, &[user.as_str(), id.as_str()])?;
        let now = self.backend.context.clock.unix_seconds();
        let call = self.write(&CREATE, user, &id).arg(id.as_str()).arg(now);
        self.backend.repeatable::<Info>(OPERATION, call).await?.decode(OPERATION, user)
    }

    async fn get(&self, user: &UserId, id: &SessionId) -> Result<Option<SessionInfo>> {
        const OPERATION: &str = "get a session";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), id.as_str()])?;
        let found = self.infos(OPERATION, user, &[(keys::of(id), 0)]).await?.pop().flatten().transpose()?;
        if found.is_some() {
            self.touch(OPERATION, user, id).await?;
        }
        Ok(found)
    }

    async fn append(&self, user: &UserId, id: &SessionId, batch: MessageBatch) -> Result<Appended> {
        const OPERATION: &str = "append to a session";
        let key = batch.key.as_deref();
        let _call = self.backend.begin(OPERATION, &[user.as_str(), id.as_str(), key.unwrap_or_default()])?;
        let limits = &self.backend.context.limits;
        let now = self.backend.context.clock.unix_seconds();
        let mut call = self
            .write(&APPEND, user, id)
            .arg(id.as_str())
            .arg(now)
            .arg(limits.session_messages)
            .arg(limits.session_bytes)
            .arg(key.map(|key| format!("b:{}", keys::encode(key))).unwrap_or_default())
            .arg(batch.maybe_known)
            .arg(if batch.is_anonymous {
                millis(self.anonymous_age).max(1).to_string()
            } else {
                String::new()
            });
        for message in &batch.messages {
            limits.check_item(OPERATION, message.json().len())?;
            call = call.arg(id_field(message.id())).arg(&message.json()[..]);
        }
        let (first, count, is_refused, bytes): (u64, u64, bool, u64) = match key {
            Some(_) => self.backend.repeatable(OPERATION, call).await?,
            None => self.backend.once(OPERATION, call).await?,
        };
        if is_refused {
            limits.check_session(OPERATION, count, bytes)?;
        }
        Ok(Appended { first, count })
    }

    async fn messages(
        &self,
        user: &UserId,
        id: &SessionId,
        from: u64,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>> {
        self.read(user, id, Some(from), size).await
    }

    async fn last_messages(
        &self,
        user: &UserId,
        id: &SessionId,
        size: PageSize,
    ) -> Result<Option<Vec<StoredMessage>>> {
        self.read(user, id, None, size).await
    }

    async fn list(
        &self,
        user: &UserId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<SessionInfo>> {
        const OPERATION: &str = "list sessions";
        let _call = self.backend.begin(OPERATION, &[user.as_str()])?;
        let [index, ..] = self.indexes(user);
        let mut before = after.map_or("+inf".to_owned(), |after| format!("({}", after.0));
        let mut items = Vec::new();
        while items.len() <= size.get() {
            let mut range = cmd("ZREVRANGEBYSCORE");
            let wanted = (size.get() + 1 - items.len()).min(STEP);
            range.arg(&index).arg(&before).arg("-inf").arg("WITHSCORES").arg("LIMIT").arg(0).arg(wanted);
            let members: Vec<(String, u64)> = self.backend.repeatable(OPERATION, range).await?;
            let Some((_, last)) = members.last() else { break };
            before = format!("({last}");
            let mut rest = &members[..];
            while !rest.is_empty() {
                let infos = self.infos(OPERATION, user, rest).await?;
                let (read, unread) = rest.split_at(infos.len().min(rest.len()));
                // A deleted session may have left its place, or a newer one with its id may have another place.
                for ((member, number), info) in read.iter().zip(infos) {
                    match info {
                        Some(Ok(info)) if info.number == *number => items.push(info),
                        Some(Err(error)) => {
                            tracing::error!(session.key = member, error = %error, "a session cannot be read and is left out of a list");
                        }
                        _ => {}
                    }
                }
                rest = unread;
            }
        }
        Ok(Page::from_one_more(items, size, |info| info.number))
    }

    async fn change(&self, user: &UserId, id: &SessionId, change: SessionChange) -> Result<SessionInfo> {
        const OPERATION: &str = "change a session";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), id.as_str()])?;
        let limits = &self.backend.context.limits;
        let call = self.write(&CHANGE, user, id).arg(self.backend.context.clock.unix_seconds());
        let call = match &change.title {
            Some(Some(title)) => {
                limits.check_item(OPERATION, title.len())?;
                call.arg("set").arg(title)
            }
            Some(None) => call.arg("remove").arg(""),
            None => call.arg("keep").arg(""),
        };
        let call = match &change.metadata {
            Some(metadata) => {
                let text = json_text(OPERATION, metadata)?;
                limits.check_item(OPERATION, text.len())?;
                call.arg("set").arg(text)
            }
            None => call.arg("keep").arg(""),
        };
        match self.backend.repeatable::<Option<Info>>(OPERATION, call).await? {
            Some(info) => info.decode(OPERATION, user),
            None => Err(Error::new(ErrorKind::NotFound, OPERATION, format!("there is no session '{id}'"))),
        }
    }

    async fn delete(&self, user: &UserId, id: &SessionId) -> Result<bool> {
        const OPERATION: &str = "delete a session";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), id.as_str()])?;
        Ok(self.delete_members(OPERATION, user, &[keys::of(id)]).await? > 0)
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        const OPERATION: &str = "delete a user's sessions";
        let _call = self.backend.begin(OPERATION, &[user.as_str()])?;
        let [index, _, last] = self.indexes(user);
        let mut range = cmd("ZREVRANGE");
        range.arg(&index).arg(0).arg(0).arg("WITHSCORES");
        let newest: Vec<(String, u64)> = self.backend.repeatable(OPERATION, range).await?;
        let Some((_, newest)) = newest.first() else { return Ok(0) };
        let mut count = 0;
        loop {
            let mut range = cmd("ZRANGEBYSCORE");
            range.arg(&index).arg("-inf").arg(newest).arg("LIMIT").arg(0).arg(STEP);
            let members: Vec<String> = self.backend.repeatable(OPERATION, range).await?;
            if members.is_empty() {
                break;
            }
            count += self.delete_members(OPERATION, user, &members).await?;
        }
        self.backend.repeatable::<()>(OPERATION, RETIRE.with_keys([index, last])).await?;
        Ok(count)
    }

    /// Does nothing: sessions expire in Redis.
    async fn sweep(&self) -> Result<Vec<(UserId, SessionId)>> {
        let _call = self.backend.begin("delete old sessions", &[])?;
        Ok(Vec::new())
    }
}

impl RedisSessionStore {
    async fn delete_members(
        &self,
        operation: &'static str,
        user: &UserId,
        members: &[String],
    ) -> Result<u64> {
        let [index, expiry, _] = self.indexes(user);
        let sessions = members.iter().map(|member| self.key(user, member));
        let call = DELETE.with_keys([index, expiry].into_iter().chain(sessions)).arg(members);
        self.backend.once(operation, call).await
    }
}
