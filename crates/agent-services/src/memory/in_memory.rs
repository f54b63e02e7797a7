//! The reference backend: memories in this process.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use agent_schemas::json::JsonSize;
use agent_schemas::{Message, SessionId, UserId};
use async_trait::async_trait;
use parking_lot::RwLock;

use super::rank::{Corpus, Posting, rank};
use super::{Memory, MemoryQuery, MemoryStore, Recalled, words};
use crate::Result;
use crate::context::StoreContext;
use crate::lifecycle::{Started, lifecycle_of};
use crate::limits::json_text;
use crate::memory_budget::MemoryBudget;
use crate::page::{Page, PageSize, PageToken};
use crate::tenant::UserKey;

/// Memories in this process's memory. They survive a stop and a restart of the store, but not the store itself.
#[derive(Debug, Default)]
pub struct InMemoryMemoryStore {
    context: StoreContext,
    started: Started,
    budget: Arc<MemoryBudget>,
    users: RwLock<Users>,
}

#[derive(Debug, Default)]
struct Users {
    by_id: HashMap<UserKey, User>,
    /// The greatest number of a memory of deleted users, so that no number is reused.
    forgotten_number: u64,
}

/// The approximate size of a memory: the message, and an index of its words.
fn weight(message: &Message) -> u64 {
    512 + 4 * JsonSize::of(message).text() as u64
}

#[derive(Debug, Default)]
struct User {
    memories: BTreeMap<u64, Memory>,
    /// The numbers of the texts that contain each word.
    postings: HashMap<String, BTreeMap<u64, Posting>>,
    corpus: Corpus,
    /// The number of the memory added last.
    last_number: u64,
}

impl User {
    fn add(&mut self, session: &SessionId, now: i64, message: Message) -> u64 {
        self.last_number += 1;
        let number = self.last_number;
        let words = words::of_message(&message);
        let length: u32 = words.values().sum();
        self.corpus.texts += u64::from(length > 0);
        self.corpus.words += u64::from(length);
        for (word, occurrences) in words {
            let posting = Posting { number, occurrences, length };
            self.postings.entry(word).or_default().insert(number, posting);
        }
        self.memories.insert(number, Memory::new(number, session.clone(), now, message));
        number
    }

    fn remove(&mut self, number: u64) -> bool {
        let Some(memory) = self.memories.remove(&number) else { return false };
        let words = words::of_message(&memory.message);
        let length: u32 = words.values().sum();
        self.corpus.texts -= u64::from(length > 0);
        self.corpus.words -= u64::from(length);
        for word in words.keys() {
            if let Some(postings) = self.postings.get_mut(word) {
                postings.remove(&number);
                if postings.is_empty() {
                    self.postings.remove(word);
                }
            }
        }
        true
    }

    fn search(&self, query: &MemoryQuery) -> Vec<Recalled> {
        let postings = |word: &String| -> Vec<Posting> {
            self.postings.get(word).map(|postings| postings.values().copied().collect()).unwrap_or_default()
        };
        let words: Vec<Vec<Posting>> = words::of_query(&query.text).iter().map(postings).collect();
        let ranked = rank(self.corpus, &words).into_iter().take_while(|(_, score)| *score >= query.min_score);
        let recalled = ranked.filter_map(|(number, score)| {
            let memory = self.memories.get(&number)?;
            let is_wanted = query.allows(&memory.session_id, memory.created_at);
            is_wanted.then(|| Recalled { memory: memory.clone(), score })
        });
        recalled.take(query.top_k).collect()
    }
}

impl InMemoryMemoryStore {
    /// An empty store.
    pub fn new(context: StoreContext) -> Self {
        InMemoryMemoryStore { context, ..InMemoryMemoryStore::default() }
    }

    /// Shares the memory with other stores.
    pub(crate) fn with_budget(mut self, budget: Arc<MemoryBudget>) -> Self {
        self.budget = budget;
        self
    }

    /// Deletes a memory; returns whether it existed.
    fn forget(&self, user: &mut User, number: u64) -> bool {
        let Some(memory) = user.memories.get(&number) else { return false };
        self.budget.change(weight(&memory.message), 0);
        user.remove(number)
    }
}

lifecycle_of!(InMemoryMemoryStore.started);

#[async_trait]
impl MemoryStore for InMemoryMemoryStore {
    async fn add(&self, user: &UserId, session: &SessionId, messages: Vec<Message>) -> Result<Vec<u64>> {
        const OPERATION: &str = "add memories";
        self.started.check(OPERATION, &[user.as_str(), session.as_str()])?;
        for message in &messages {
            self.context.limits.check_item(OPERATION, json_text(OPERATION, message)?.len())?;
        }
        self.budget.admit(OPERATION)?;
        self.budget.change(0, messages.iter().map(weight).sum());
        let now = self.context.clock.unix_seconds();
        let mut users = self.users.write();
        let last_number = users.forgotten_number;
        let new = || User { last_number, ..User::default() };
        let owner = users.by_id.entry(UserKey::of(user)).or_insert_with(new);
        Ok(messages.into_iter().map(|message| owner.add(session, now, message)).collect())
    }

    async fn search(&self, user: &UserId, query: &MemoryQuery) -> Result<Vec<Recalled>> {
        self.started.check("search memories", &[user.as_str()])?;
        query.check()?;
        Ok(self.users.read().by_id.get(&UserKey::of(user)).map(|user| user.search(query)).unwrap_or_default())
    }

    async fn list(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<Memory>> {
        self.started.check("list memories", &[user.as_str()])?;
        let users = self.users.read();
        let before = after.map_or(u64::MAX, |after| after.0);
        let memories = users
            .by_id
            .get(&UserKey::of(user))
            .into_iter()
            .flat_map(|user| user.memories.range(..before).rev());
        let memories = memories.map(|(_, memory)| memory);
        let wanted = memories.filter(|memory| session.is_none_or(|session| *session == memory.session_id));
        let page = wanted.take(size.get() + 1).cloned().collect();
        Ok(Page::from_one_more(page, size, |memory| memory.number))
    }

    async fn delete(&self, user: &UserId, number: u64) -> Result<bool> {
        self.started.check("delete a memory", &[user.as_str()])?;
        Ok(self.users.write().by_id.get_mut(&UserKey::of(user)).is_some_and(|user| self.forget(user, number)))
    }

    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64> {
        self.started.check("delete memories", &[user.as_str(), session.as_str()])?;
        let mut users = self.users.write();
        let Some(user) = users.by_id.get_mut(&UserKey::of(user)) else { return Ok(0) };
        let of_session = user.memories.values().filter(|memory| memory.session_id == *session);
        let numbers: Vec<u64> = of_session.map(|memory| memory.number).collect();
        Ok(numbers.into_iter().filter(|number| self.forget(user, *number)).count() as u64)
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        self.started.check("delete memories", &[user.as_str()])?;
        let mut users = self.users.write();
        let Some(User { memories, last_number, .. }) = users.by_id.remove(&UserKey::of(user)) else {
            return Ok(0);
        };
        users.forgotten_number = users.forgotten_number.max(last_number);
        self.budget.change(memories.values().map(|memory| weight(&memory.message)).sum(), 0);
        Ok(memories.len() as u64)
    }
}
