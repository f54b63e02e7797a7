//! Messages at the end of a session.

use agent_schemas::{SessionId, UserId};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params};

use super::{change, read};
use crate::Result;
use crate::limits::StoreLimits;
use crate::session::{Appended, EncodedMessage, MessageBatch};
use crate::sqlite::failure::Outcome;
use crate::sqlite::statement::{bounded, statements};

pub(super) const OPERATION: &str = "append to a session";

statements! {
    ADD_KEY: "INSERT INTO batches (session, key) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    KNOWN: "SELECT 1 FROM messages WHERE session = ?1 AND id = ?2 LIMIT 1";
    ADD: "INSERT INTO messages (session, position, id, json) VALUES (?1, ?2, ?3, ?4)";
    GROW: "UPDATE sessions SET messages = ?2, bytes = ?3, updated_at = ?4 WHERE key = ?1";
}

/// A batch that is ready to be stored.
pub(super) struct Append {
    user: UserId,
    session: SessionId,
    batch: MessageBatch,
    limits: StoreLimits,
}

impl Append {
    /// # Errors
    /// If a message is too large.
    pub(super) fn new(
        user: &UserId,
        session: &SessionId,
        batch: MessageBatch,
        limits: StoreLimits,
    ) -> Result<Self> {
        for message in &batch.messages {
            limits.check_item(OPERATION, message.json().len())?;
        }
        Ok(Append { user: user.clone(), session: session.clone(), batch, limits })
    }

    /// Stores the batch, unless it is there.
    pub(super) fn run(&self, connection: &Connection, now: i64) -> Outcome<Appended> {
        let session = match read::size(connection, &self.user, &self.session)? {
            Some(session) => session,
            None => change::make(connection, &self.user, &self.session, now)?,
        };
        let first = session.messages;
        if let Some(key) = &self.batch.key
            && ADD_KEY.execute(connection, params![session.key, key.as_bytes()])? == 0
        {
            return Ok(Appended { first, count: 0 });
        }
        let (mut count, mut bytes) = (0, session.bytes);
        for (at, message) in self.batch.messages.iter().enumerate() {
            let id = id_column(message);
            let is_known = at < self.batch.maybe_known && is_known(connection, session.key, id)?;
            if !is_known {
                let json = ToSqlOutput::Borrowed(ValueRef::Text(message.json()));
                ADD.execute(connection, params![session.key, bounded(first + count), id, json])?;
                count += 1;
                bytes += message.json().len() as u64;
            }
        }
        self.limits.check_session(OPERATION, first + count, bytes)?;
        GROW.execute(connection, params![session.key, bounded(first + count), bounded(bytes), now])?;
        Ok(Appended { first, count })
    }
}

/// A message's id as it is stored; none if it is empty.
fn id_column(message: &EncodedMessage) -> Option<&[u8]> {
    Some(message.id().as_bytes()).filter(|id| !id.is_empty())
}

fn is_known(connection: &Connection, session: i64, id: Option<&[u8]>) -> Outcome<bool> {
    match id {
        Some(id) => Ok(KNOWN.exists(connection, params![session, id])?),
        None => Ok(false),
    }
}
