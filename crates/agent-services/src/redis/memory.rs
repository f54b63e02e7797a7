//! Memories over Redis: an index of words in a sorted set, ranked by the same function as everywhere.

mod search;

use std::time::Duration;

use ::redis::cmd;
use agent_schemas::{Message, SessionId, UserId};
use async_trait::async_trait;

use super::client::RedisClient;
use super::failure::foreign;
use super::keys;
use super::script::{Call, Script, script};
use super::store::{Backend, LARGE_ANSWER, STEP, decode, number, service, text};
use crate::Result;
use crate::context::StoreContext;
use crate::damage;
use crate::limits::json_text;
use crate::memory::{Memory, MemoryQuery, MemoryStore, Recalled, words};
use crate::page::{Page, PageSize, PageToken};

script!(ADD, "memory/common.lua", "memory/add.lua");
script!(REMOVE, "memory/common.lua", "memory/remove.lua");
script!(FORGET, "memory/common.lua", "memory/forget.lua");
script!(TOUCH, "memory/common.lua", "memory/touch.lua");
script!(LIST, "memory/list.lua");

/// Memories in Redis.
#[derive(Debug)]
pub struct RedisMemoryStore {
    backend: Backend,
}

service!(RedisMemoryStore);

impl RedisMemoryStore {
    /// A store that remembers until it is told to forget.
    pub fn new(client: RedisClient, context: StoreContext) -> Self {
        RedisMemoryStore { backend: Backend::new(client, context) }
    }

    /// The same, but all of a user is forgotten when none of it is used for so long.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.backend.set_ttl(ttl);
        self
    }

    /// The memories, the words, the numbers, the numbers by session, and the last number.
    fn keys(&self, user: &UserId) -> [String; 5] {
        let kinds = ["memories", "memories:words", "memories:numbers", "memories:sessions", "memories:last"];
        kinds.map(|kind| self.backend.keys().of_user(user, kind))
    }

    fn write(&self, script: &'static Script, user: &UserId) -> Call {
        script.with_keys(self.keys(user)).arg(self.backend.ttl_ms())
    }

    /// Lets what was searched live on.
    async fn touch(&self, operation: &'static str, user: &UserId) -> Result<()> {
        if self.backend.ttl_ms() == 0 {
            return Ok(());
        }
        self.backend.repeatable(operation, self.write(&TOUCH, user)).await
    }
}

/// A number as it stands in keys: as a text whose order is that of the numbers.
fn digits(number: u64) -> String {
    format!("{number:016}")
}

/// What is kept of a memory besides its message, behind the session's part of members: its time and its session.
fn decode_item(operation: &'static str, number: u64, head: &[u8], message: &[u8]) -> Result<Memory> {
    let (created_at, session) = decode_head(operation, head)?;
    let message = damage::message("memory", number, decode(operation, message));
    Ok(Memory::new(number, session, created_at, message))
}

fn decode_head(operation: &'static str, head: &[u8]) -> Result<(i64, SessionId)> {
    let mut parts = head.splitn(3, |byte| *byte == b' ').skip(1);
    let (Some(created_at), Some(session)) = (parts.next(), parts.next()) else {
        return Err(foreign(operation));
    };
    Ok((number(operation, created_at)?, SessionId::new(text(operation, session)?)))
}

#[async_trait]
impl MemoryStore for RedisMemoryStore {
    async fn add(&self, user: &UserId, session: &SessionId, messages: Vec<Message>) -> Result<Vec<u64>> {
        const OPERATION: &str = "add memories";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), session.as_str()])?;
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.backend.context.clock.unix_seconds();
        let mut call = self.write(&ADD, user).arg(keys::of(session)).arg(format!("{now} {session}"));
        for message in &messages {
            let text = json_text(OPERATION, message)?;
            self.backend.context.limits.check_item(OPERATION, text.len())?;
            let words = words::of_message(message);
            let length: u32 = words.values().sum();
            let words: String = words.iter().map(|(word, count)| format!("{word}\0{count}\0")).collect();
            call = call.arg(text).arg(length).arg(words);
        }
        let first: u64 = self.backend.once(OPERATION, call).await?;
        Ok((first..).take(messages.len()).collect())
    }

    async fn search(&self, user: &UserId, query: &MemoryQuery) -> Result<Vec<Recalled>> {
        const OPERATION: &str = "search memories";
        let _call = self.backend.begin(OPERATION, &[user.as_str()])?;
        query.check()?;
        let found = self.find(OPERATION, user, query).await?;
        self.touch(OPERATION, user).await?;
        Ok(found)
    }

    async fn list(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<Memory>> {
        const OPERATION: &str = "list memories";
        let _call = self.backend.begin(OPERATION, &[user.as_str()])?;
        let [memories, _, numbers, by_session, _] = self.keys(user);
        let (index, start) = match session {
            Some(session) => (by_session, format!("{}\0", keys::of(session))),
            None => (numbers, String::new()),
        };
        // A digit is less than this byte, and what comes behind it in no other session.
        let mut high = format!("({start}:");
        if let Some(after) = after {
            high = format!("({start}{}", digits(after.0.min(MAX_NUMBER)));
        }
        let mut items = Vec::new();
        while items.len() <= size.get() {
            let wanted = size.get() + 1 - items.len();
            let call = LIST.with_keys([memories.clone(), index.clone()]);
            let call = call.arg(LARGE_ANSWER).arg(wanted).arg(&high).arg(format!("[{start}"));
            let found: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = self.backend.repeatable(OPERATION, call).await?;
            for (own_number, head, message) in &found {
                items.push(decode_item(OPERATION, number(OPERATION, own_number)?, head, message)?);
            }
            match items.last() {
                Some(last) if !found.is_empty() => high = format!("({start}{}", digits(last.number)),
                _ => break,
            }
        }
        Ok(Page::from_one_more(items, size, |memory| memory.number))
    }

    async fn delete(&self, user: &UserId, number: u64) -> Result<bool> {
        const OPERATION: &str = "delete a memory";
        let _call = self.backend.begin(OPERATION, &[user.as_str()])?;
        let call = self.write(&REMOVE, user).arg(digits(number));
        self.backend.once(OPERATION, call).await
    }

    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64> {
        const OPERATION: &str = "delete memories";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), session.as_str()])?;
        let [_, _, _, by_session, last] = self.keys(user);
        let mut get = cmd("GET");
        get.arg(last);
        // What is added from now on stays.
        let last: Option<u64> = self.backend.repeatable(OPERATION, get).await?;
        let start = format!("{}\0", keys::of(session));
        let mut count = 0;
        loop {
            let mut range = cmd("ZRANGEBYLEX");
            range.arg(&by_session).arg(format!("[{start}"));
            range
                .arg(format!("[{start}{}", digits(last.unwrap_or(MAX_NUMBER))))
                .arg("LIMIT")
                .arg(0)
                .arg(STEP);
            let members: Vec<String> = self.backend.repeatable(OPERATION, range).await?;
            if members.is_empty() {
                return Ok(count);
            }
            let numbers: Vec<&str> = members
                .iter()
                .filter_map(|member| member.split_once('\0'))
                .map(|(_, number)| number)
                .collect();
            count += self.backend.once::<u64>(OPERATION, self.write(&REMOVE, user).arg(numbers)).await?;
        }
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        const OPERATION: &str = "delete memories";
        let _call = self.backend.begin(OPERATION, &[user.as_str()])?;
        self.backend.once(OPERATION, FORGET.with_keys(self.keys(user))).await
    }
}

/// The greatest number of 16 digits, which no memory has.
const MAX_NUMBER: u64 = 9_999_999_999_999_999;
