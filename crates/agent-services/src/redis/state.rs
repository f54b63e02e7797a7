//! Agent states in Redis: for each session a sorted set of rounds and a hash of states.

use std::time::Duration;

use ::redis::cmd;
use agent_schemas::{Json, SessionId, UserId};
use async_trait::async_trait;

use super::client::RedisClient;
use super::keys;
use super::script::{Call, Script, script};
use super::store::{Backend, STEP, decode, number, service};
use crate::context::StoreContext;
use crate::limits::json_text;
use crate::page::{Page, PageSize, PageToken};
use crate::state::StateStore;
use crate::{Error, ErrorKind, Result};

script!(SAVE, "state/common.lua", "state/save.lua");
script!(EXPORT, "state/export.lua");
script!(TOUCH, "state/common.lua", "state/touch.lua");
script!(DELETE_ROUND, "state/common.lua", "state/delete_round.lua");
script!(DELETE, "state/delete.lua");

/// Agent states in Redis.
#[derive(Debug)]
pub struct RedisStateStore {
    backend: Backend,
}

service!(RedisStateStore);

impl RedisStateStore {
    /// A store that keeps states until they are deleted.
    pub fn new(client: RedisClient, context: StoreContext) -> Self {
        RedisStateStore { backend: Backend::new(client, context) }
    }

    /// The same, but the states of a session expire when none of them has been used for this time.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.backend.set_ttl(ttl);
        self
    }

    /// The rounds and the states of a session.
    fn keys(&self, user: &UserId, member: &str) -> [String; 2] {
        ["rounds", "values"].map(|part| {
            let session = self.backend.keys().of_session(user, "states", member);
            format!("{session}:{part}")
        })
    }

    /// The sessions of a user.
    fn index(&self, user: &UserId) -> String {
        self.backend.keys().of_user(user, "states")
    }

    /// A call of a script that changes the states of one session.
    fn write(&self, script: &'static Script, user: &UserId, session: &SessionId) -> Call {
        let member = keys::of(session);
        let keys = self.keys(user, &member).into_iter().chain([self.index(user)]);
        script.with_keys(keys).arg(&member).arg(self.backend.ttl_ms())
    }

    /// Extends the life of a session whose states were read.
    async fn touch(&self, operation: &'static str, user: &UserId, session: &SessionId) -> Result<()> {
        if self.backend.ttl_ms() == 0 {
            return Ok(());
        }
        self.backend.repeatable(operation, self.write(&TOUCH, user, session)).await
    }

    async fn delete_members(
        &self,
        operation: &'static str,
        user: &UserId,
        members: &[String],
    ) -> Result<u64> {
        let sessions = members.iter().flat_map(|member| self.keys(user, member));
        let call = DELETE.with_keys([self.index(user)].into_iter().chain(sessions)).arg(members);
        self.backend.once(operation, call).await
    }
}

/// A round as text whose order is that of the numbers.
fn digits(round: u64) -> String {
    format!("{round:020}")
}

#[async_trait]
impl StateStore for RedisStateStore {
    async fn save(
        &self,
        user: &UserId,
        session: &SessionId,
        round: Option<u64>,
        state: &Json,
    ) -> Result<u64> {
        const OPERATION: &str = "save a state";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), session.as_str()])?;
        let text = json_text(OPERATION, state)?;
        self.backend.context.limits.check_item(OPERATION, text.len())?;
        let call = self.write(&SAVE, user, session).arg(round.map(digits).unwrap_or_default()).arg(text);
        let saved: Option<Vec<u8>> = match round {
            Some(_) => self.backend.repeatable(OPERATION, call).await?,
            None => self.backend.once(OPERATION, call).await?,
        };
        match saved {
            Some(round) => number(OPERATION, &round),
            None => Err(Error::new(ErrorKind::InvalidInput, OPERATION, "the round number is at its maximum")),
        }
    }

    async fn export(
        &self,
        user: &UserId,
        session: &SessionId,
        round: Option<u64>,
    ) -> Result<Option<(u64, Json)>> {
        const OPERATION: &str = "export a state";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), session.as_str()])?;
        let keys = self.keys(user, &keys::of(session));
        let call = EXPORT.with_keys(keys).arg(round.map(digits).unwrap_or_default());
        let found: Option<(Vec<u8>, Vec<u8>)> = self.backend.repeatable(OPERATION, call).await?;
        let Some((round, state)) = found else { return Ok(None) };
        self.touch(OPERATION, user, session).await?;
        Ok(Some((number(OPERATION, &round)?, decode(OPERATION, &state)?)))
    }

    async fn rounds(
        &self,
        user: &UserId,
        session: &SessionId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<u64>> {
        const OPERATION: &str = "list rounds";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), session.as_str()])?;
        let [rounds, _] = self.keys(user, &keys::of(session));
        let before = after.map_or("+".to_owned(), |after| format!("({}", digits(after.0)));
        let mut range = cmd("ZREVRANGEBYLEX");
        range.arg(rounds).arg(before).arg("-").arg("LIMIT").arg(0).arg(size.get() + 1);
        let found: Vec<Vec<u8>> = self.backend.repeatable(OPERATION, range).await?;
        let found = found.iter().map(|round| number(OPERATION, round)).collect::<Result<_>>()?;
        Ok(Page::from_one_more(found, size, |round| *round))
    }

    async fn delete_round(&self, user: &UserId, session: &SessionId, round: u64) -> Result<bool> {
        const OPERATION: &str = "delete a round";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), session.as_str()])?;
        let call = self.write(&DELETE_ROUND, user, session).arg(digits(round));
        self.backend.once(OPERATION, call).await
    }

    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64> {
        const OPERATION: &str = "delete states";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), session.as_str()])?;
        self.delete_members(OPERATION, user, &[keys::of(session)]).await
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        const OPERATION: &str = "delete states";
        let _call = self.backend.begin(OPERATION, &[user.as_str()])?;
        let mut count = 0;
        loop {
            let mut range = cmd("ZRANGE");
            range.arg(self.index(user)).arg(0).arg(STEP - 1);
            let members: Vec<String> = self.backend.repeatable(OPERATION, range).await?;
            if members.is_empty() {
                return Ok(count);
            }
            count += self.delete_members(OPERATION, user, &members).await?;
        }
    }
}
