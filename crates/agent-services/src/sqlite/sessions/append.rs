//! Messages at the end of a session.

use agent_schemas::{SessionId, UserId};
use rusqlite::{Connection, params};

use super::{change, read};
use crate::Result;
use crate::limits::StoreLimits;
use crate::session::{Appended, MessageBatch};
use crate::sqlite::failure::Outcome;
use crate::sqlite::json;
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
    messages: Vec<Text>,
    key: Option<String>,
    maybe_known: usize,
    limits: StoreLimits,
}

/// A message as JSON text, with its id.
struct Text {
    id: String,
    json: String,
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
        let MessageBatch { messages, key, maybe_known } = batch;
        let text = |message: agent_schemas::Message| {
            let json = json::to_text(OPERATION, &message)?;
            limits.check_item(OPERATION, json.len())?;
            Ok(Text { id: message.id, json })
        };
        let messages = messages.into_iter().map(text).collect::<Result<_>>()?;
        Ok(Append { user: user.clone(), session: session.clone(), messages, key, maybe_known, limits })
    }

    /// Stores the batch, unless it is there.
    pub(super) fn run(&self, connection: &Connection, now: i64) -> Outcome<Appended> {
        let session = match read::size(connection, &self.user, &self.session)? {
            Some(session) => session,
            None => change::make(connection, &self.user, &self.session, now)?,
        };
        let first = session.messages;
        if let Some(key) = &self.key
            && ADD_KEY.execute(connection, params![session.key, key.as_bytes()])? == 0
        {
            return Ok(Appended { first, count: 0 });
        }
        let (mut count, mut bytes) = (0, session.bytes);
        for (at, message) in self.messages.iter().enumerate() {
            let is_known = at < self.maybe_known && message.is_known(connection, session.key)?;
            if !is_known {
                let (id, position) = (message.id(), bounded(first + count));
                ADD.execute(connection, params![session.key, position, id, message.json])?;
                count += 1;
                bytes += message.json.len() as u64;
            }
        }
        self.limits.check_session(OPERATION, first + count, bytes)?;
        GROW.execute(connection, params![session.key, bounded(first + count), bounded(bytes), now])?;
        Ok(Appended { first, count })
    }
}

impl Text {
    /// The id as it is stored; none if it is empty.
    fn id(&self) -> Option<&[u8]> {
        Some(self.id.as_bytes()).filter(|id| !id.is_empty())
    }

    fn is_known(&self, connection: &Connection, session: i64) -> Outcome<bool> {
        match self.id() {
            Some(id) => Ok(KNOWN.exists(connection, params![session, id])?),
            None => Ok(false),
        }
    }
}
