//! The reference backend: states in this process's memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use agent_schemas::json::JsonSize;
use agent_schemas::{Json, SessionId, UserId};
use async_trait::async_trait;
use parking_lot::RwLock;

use super::StateStore;
use crate::context::StoreContext;
use crate::lifecycle::{Started, lifecycle_of};
use crate::memory_budget::MemoryBudget;
use crate::page::{Page, PageSize, PageToken};
use crate::tenant::UserKey;
use crate::{Error, ErrorKind, Result};

/// States in this process's memory. They survive a stop and a restart of the store, but not the store itself.
#[derive(Debug, Default)]
pub struct InMemoryStateStore {
    context: StoreContext,
    started: Started,
    budget: Arc<MemoryBudget>,
    users: RwLock<HashMap<UserKey, Sessions>>,
}

/// The approximate size of a state besides its JSON.
const OVERHEAD: u64 = 256;

/// The approximate size of a state.
fn weight(state: &Json) -> u64 {
    JsonSize::of(state).text() as u64 + OVERHEAD
}

type Sessions = HashMap<SessionId, BTreeMap<u64, Json>>;

impl InMemoryStateStore {
    /// An empty store.
    pub fn new(context: StoreContext) -> Self {
        InMemoryStateStore { context, ..InMemoryStateStore::default() }
    }

    /// Shares the memory with other stores.
    pub(crate) fn with_budget(mut self, budget: Arc<MemoryBudget>) -> Self {
        self.budget = budget;
        self
    }

    /// Stops counting states; returns how many there were.
    fn forget(&self, rounds: &BTreeMap<u64, Json>) -> u64 {
        rounds.values().for_each(|state| self.budget.change(weight(state), 0));
        rounds.len() as u64
    }
}

lifecycle_of!(InMemoryStateStore.started);

#[async_trait]
impl StateStore for InMemoryStateStore {
    async fn save(
        &self,
        user: &UserId,
        session: &SessionId,
        round: Option<u64>,
        state: &Json,
    ) -> Result<u64> {
        const OPERATION: &str = "save a state";
        self.started.check(OPERATION, &[user.as_str(), session.as_str()])?;
        self.context.limits.check_item(OPERATION, JsonSize::of(state).text())?;
        self.budget.admit(OPERATION)?;
        let mut users = self.users.write();
        let rounds = users.entry(UserKey::of(user)).or_default().entry(session.clone()).or_default();
        let next = || rounds.last_key_value().map_or(Some(1), |(last, _)| last.checked_add(1));
        let Some(round) = round.or_else(next) else {
            return Err(Error::new(ErrorKind::InvalidInput, OPERATION, "the round number is at its maximum"));
        };
        let before = rounds.insert(round, state.clone());
        self.budget.change(before.as_ref().map_or(0, weight), weight(state));
        Ok(round)
    }

    async fn export(
        &self,
        user: &UserId,
        session: &SessionId,
        round: Option<u64>,
    ) -> Result<Option<(u64, Json)>> {
        self.started.check("export a state", &[user.as_str(), session.as_str()])?;
        let users = self.users.read();
        let Some(rounds) = users.get(&UserKey::of(user)).and_then(|sessions| sessions.get(session)) else {
            return Ok(None);
        };
        let found = match round {
            Some(round) => rounds.get_key_value(&round),
            None => rounds.last_key_value(),
        };
        Ok(found.map(|(round, state)| (*round, state.clone())))
    }

    async fn rounds(
        &self,
        user: &UserId,
        session: &SessionId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<u64>> {
        self.started.check("list rounds", &[user.as_str(), session.as_str()])?;
        let users = self.users.read();
        let rounds = users.get(&UserKey::of(user)).and_then(|sessions| sessions.get(session));
        let rounds = rounds.into_iter().flat_map(|rounds| rounds.keys().rev().copied());
        let page = rounds.filter(|round| after.is_none_or(|after| *round < after.0)).take(size.get() + 1);
        Ok(Page::from_one_more(page.collect(), size, |round| *round))
    }

    async fn delete_round(&self, user: &UserId, session: &SessionId, round: u64) -> Result<bool> {
        self.started.check("delete a round", &[user.as_str(), session.as_str()])?;
        let mut users = self.users.write();
        let rounds = users.get_mut(&UserKey::of(user)).and_then(|sessions| sessions.get_mut(session));
        let removed = rounds.and_then(|rounds| rounds.remove(&round));
        Ok(removed.map(|state| self.budget.change(weight(&state), 0)).is_some())
    }

    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64> {
        self.started.check("delete states", &[user.as_str(), session.as_str()])?;
        let mut users = self.users.write();
        let rounds = users.get_mut(&UserKey::of(user)).and_then(|sessions| sessions.remove(session));
        Ok(rounds.map_or(0, |rounds| self.forget(&rounds)))
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        self.started.check("delete states", &[user.as_str()])?;
        let sessions = self.users.write().remove(&UserKey::of(user)).unwrap_or_default();
        Ok(sessions.values().map(|rounds| self.forget(rounds)).sum())
    }
}
