//! Agent states in SQLite.

use agent_schemas::{Json, SessionId, UserId};
use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::database::SqliteDatabase;
use super::failure::Outcome;
use super::row::text;
use super::statement::statements;
use super::store::Access;
use super::{json, users};
use crate::context::StoreContext;
use crate::lifecycle::lifecycle_of;
use crate::limits::json_text;
use crate::page::{Page, PageSize, PageToken};
use crate::state::StateStore;
use crate::{Error, ErrorKind, Result};

const SAVE: &str = "save a state";

statements! {
    LAST_ROUND: "SELECT round FROM states WHERE user = ?1 AND session = ?2 ORDER BY round DESC LIMIT 1";
    PUT: "INSERT INTO states (user, session, round, json) VALUES (?1, ?2, ?3, ?4) \
          ON CONFLICT (user, session, round) DO UPDATE SET json = excluded.json";
    EXPORT: "SELECT round, json FROM states WHERE user = ?1 AND session = ?2 AND round = ?3";
    EXPORT_LAST: "SELECT round, json FROM states WHERE user = ?1 AND session = ?2 ORDER BY round DESC LIMIT 1";
    ROUNDS: "SELECT round FROM states WHERE user = ?1 AND session = ?2 ORDER BY round DESC LIMIT ?3";
    ROUNDS_BEFORE: "SELECT round FROM states WHERE user = ?1 AND session = ?2 AND round < ?4 \
                    ORDER BY round DESC LIMIT ?3";
    DELETE_ROUND: "DELETE FROM states WHERE user = ?1 AND session = ?2 AND round = ?3";
    DELETE_SESSION: "DELETE FROM states WHERE user = ?1 AND session = ?2";
    DELETE_USER: "DELETE FROM states WHERE user = ?1";
}

/// States in a database. They survive the end of the process.
#[derive(Debug)]
pub struct SqliteStateStore {
    context: StoreContext,
    access: Access,
}

impl SqliteStateStore {
    /// The states of a database.
    pub fn new(database: SqliteDatabase, context: StoreContext) -> Self {
        SqliteStateStore { context, access: Access::new(database) }
    }
}

lifecycle_of!(SqliteStateStore.access);

#[async_trait]
impl StateStore for SqliteStateStore {
    async fn save(
        &self,
        user: &UserId,
        session: &SessionId,
        round: Option<u64>,
        state: &Json,
    ) -> Result<u64> {
        self.access.check(SAVE, &[user.as_str(), session.as_str()])?;
        let text = json_text(SAVE, state)?;
        self.context.limits.check_item(SAVE, text.len())?;
        let (user, session) = (user.clone(), session.clone());
        self.access.write(SAVE, move |connection| save(connection, &user, &session, round, &text)).await
    }

    async fn export(
        &self,
        user: &UserId,
        session: &SessionId,
        round: Option<u64>,
    ) -> Result<Option<(u64, Json)>> {
        const OPERATION: &str = "export a state";
        self.access.check(OPERATION, &[user.as_str(), session.as_str()])?;
        let (user, session) = (user.clone(), session.clone());
        let read = |row: &Row<'_>| Ok((from_column(row.get(0)?), json::from_text(text(row, 1)?)?));
        let export = move |connection: &Connection| {
            let Some(user) = users::find(connection, user.as_str())? else { return Ok(None) };
            let session = session.as_str().as_bytes();
            match round {
                Some(round) => EXPORT.one(connection, params![user, session, to_column(round)], read),
                None => EXPORT_LAST.one(connection, params![user, session], read),
            }
        };
        self.access.read(OPERATION, export).await
    }

    async fn rounds(
        &self,
        user: &UserId,
        session: &SessionId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<u64>> {
        const OPERATION: &str = "list rounds";
        self.access.check(OPERATION, &[user.as_str(), session.as_str()])?;
        let (user, session) = (user.clone(), session.clone());
        let list = move |connection: &Connection| {
            let Some(user) = users::find(connection, user.as_str())? else { return Ok(Vec::new()) };
            let session = session.as_str().as_bytes();
            let count = size.get() + 1;
            let read = |row: &Row<'_>| Ok(from_column(row.get(0)?));
            match after {
                Some(PageToken(round)) => {
                    ROUNDS_BEFORE.all(connection, params![user, session, count, to_column(round)], read)
                }
                None => ROUNDS.all(connection, params![user, session, count], read),
            }
        };
        let page = self.access.read(OPERATION, list).await?;
        Ok(Page::from_one_more(page, size, |round| *round))
    }

    async fn delete_round(&self, user: &UserId, session: &SessionId, round: u64) -> Result<bool> {
        const OPERATION: &str = "delete a round";
        self.access.check(OPERATION, &[user.as_str(), session.as_str()])?;
        let (user, session) = (user.clone(), session.clone());
        let delete = move |connection: &Connection| {
            let Some(user) = users::find(connection, user.as_str())? else { return Ok(false) };
            let ids = params![user, session.as_str().as_bytes(), to_column(round)];
            Ok(DELETE_ROUND.execute(connection, ids)? > 0)
        };
        self.access.write(OPERATION, delete).await
    }

    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64> {
        const OPERATION: &str = "delete states";
        self.access.check(OPERATION, &[user.as_str(), session.as_str()])?;
        let (user, session) = (user.clone(), session.clone());
        let delete = move |connection: &Connection| {
            let Some(user) = users::find(connection, user.as_str())? else { return Ok(0) };
            Ok(DELETE_SESSION.execute(connection, params![user, session.as_str().as_bytes()])? as u64)
        };
        self.access.write(OPERATION, delete).await
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        const OPERATION: &str = "delete states";
        self.access.check(OPERATION, &[user.as_str()])?;
        let user = user.clone();
        let delete = move |connection: &Connection| {
            let Some(user) = users::find(connection, user.as_str())? else { return Ok(0) };
            let deleted = DELETE_USER.execute(connection, [user])? as u64;
            users::forget_unused(connection, user)?;
            Ok(deleted)
        };
        self.access.write(OPERATION, delete).await
    }
}

fn save(
    connection: &Connection,
    user: &UserId,
    session: &SessionId,
    round: Option<u64>,
    state: &str,
) -> Outcome<u64> {
    let (user, session) = (users::find_or_add(connection, user.as_str())?, session.as_str().as_bytes());
    let round = match round {
        Some(round) => round,
        None => next_round(connection, user, session)?,
    };
    PUT.execute(connection, params![user, session, to_column(round), state])?;
    Ok(round)
}

fn next_round(connection: &Connection, user: i64, session: &[u8]) -> Outcome<u64> {
    let Some(last) = LAST_ROUND.one(connection, params![user, session], |row| Ok(row.get(0)?))? else {
        return Ok(1);
    };
    from_column(last)
        .checked_add(1)
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, SAVE, "the round number is at its maximum").into())
}

/// Integers in a database are signed and rounds are not; shifted by 2^63 they keep their order.
fn to_column(round: u64) -> i64 {
    (round ^ (1 << 63)).cast_signed()
}

fn from_column(round: i64) -> u64 {
    round.cast_unsigned() ^ (1 << 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds__as_columns__keep_their_order() {
        let rounds = [0, 1, 2, u64::from(u32::MAX), i64::MAX as u64, 1 << 63, u64::MAX];
        let columns = rounds.map(to_column);
        assert!(columns.is_sorted(), "{columns:?}");
        assert_eq!(columns.map(from_column), rounds);
    }
}
