//! Appends messages to a session.

use std::collections::HashSet;

use agent_schemas::{SessionId, UserId};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params};

use super::place::{ROOM, place};
use super::read::{self, Size};
use super::{anonymous, change};
use crate::Result;
use crate::limits::StoreLimits;
use crate::session::{Appended, EncodedMessage, MessageBatch};
use crate::sqlite::failure::Outcome;
use crate::sqlite::statement::{bounded, statements};
use crate::sqlite::users;

pub(in crate::sqlite) const OPERATION: &str = "append to a session";

statements! {
    HAS_KEY: "SELECT 1 FROM batches WHERE session = ?1 AND key = ?2";
    ADD_KEY: "INSERT INTO batches (session, key) VALUES (?1, ?2)";
    KNOWN: "SELECT 1 FROM messages WHERE session = ?1 AND id = ?2 LIMIT 1";
    ADD: "INSERT INTO messages (place, session, id, json) VALUES (?1, ?2, ?3, ?4)";
    GROW: "UPDATE sessions SET messages = ?2, bytes = ?3, updated_at = ?4 WHERE key = ?1";
}

/// A batch that is ready to be stored.
pub(in crate::sqlite) struct Append {
    batch: MessageBatch,
    limits: StoreLimits,
}

impl Append {
    /// # Errors
    /// If a message is too large.
    pub(in crate::sqlite) fn new(batch: MessageBatch, limits: StoreLimits) -> Result<Self> {
        for message in &batch.messages {
            limits.check_item(OPERATION, message.json().len())?;
        }
        let session_messages = limits.session_messages.min(ROOM);
        Ok(Append { batch, limits: StoreLimits { session_messages, ..limits } })
    }

    /// Stores the batch, unless it is already stored.
    pub(in crate::sqlite) fn run(
        &self,
        connection: &Connection,
        user: &UserId,
        id: &SessionId,
        now: i64,
    ) -> Outcome<Appended> {
        let session = read::size(connection, user, id)?;
        let make = |size| {
            let user = users::find_or_add(connection, user.as_str())?;
            change::make(connection, user, id.as_str().as_bytes(), size, now)
        };
        self.extend(connection, session, self.batch.key.as_deref(), make, now)
    }

    /// The same for a user whose key is known. A batch that is certainly new needs no key if it is never repeated.
    pub(in crate::sqlite) fn run_for(
        &self,
        connection: &Connection,
        user: i64,
        id: &[u8],
        may_be_known: bool,
        now: i64,
    ) -> Outcome<Appended> {
        let session = read::size_for(connection, user, id)?;
        let key = self.batch.key.as_deref().filter(|_| may_be_known);
        let make = |size| change::make(connection, user, id, size, now);
        self.extend(connection, session, key, make, now)
    }

    /// Stores the new messages of the batch. `make` creates the session if necessary, with this many messages and
    /// bytes.
    fn extend(
        &self,
        connection: &Connection,
        session: Option<Size>,
        key: Option<&str>,
        make: impl FnOnce((u64, u64)) -> Outcome<i64>,
        now: i64,
    ) -> Outcome<Appended> {
        let key = key.map(str::as_bytes);
        if let (Some(session), Some(key)) = (&session, key)
            && HAS_KEY.exists(connection, params![session.key, key])?
        {
            return Ok(Appended { first: session.messages, count: 0 });
        }
        let new = self.new_messages(connection, session.as_ref())?;
        let is_anonymous = self.batch.is_anonymous;
        let session = match session {
            Some(Size { key, bytes, is_anonymous: was_anonymous, .. }) => {
                if was_anonymous && is_anonymous {
                    anonymous::grow(connection, bytes, new.bytes)?;
                } else if was_anonymous {
                    anonymous::name(connection, key, bytes)?;
                }
                GROW.execute(connection, params![key, bounded(new.end()), bounded(new.bytes), now])?;
                key
            }
            None => {
                let key = make((new.end(), new.bytes))?;
                if is_anonymous {
                    anonymous::note(connection, key, new.bytes)?;
                }
                key
            }
        };
        if let Some(key) = key {
            ADD_KEY.execute(connection, params![session, key])?;
        }
        new.write(connection, session)?;
        Ok(Appended { first: new.first, count: new.messages.len() as u64 })
    }

    /// The messages that the session does not have yet. Checks the limits before anything is changed, because a later
    /// failure would undo the work of others.
    fn new_messages(&self, connection: &Connection, session: Option<&Size>) -> Outcome<NewMessages<'_>> {
        let (first, bytes) = session.map_or((0, 0), |session| (session.messages, session.bytes));
        let messages = self.unknown(connection, session.map(|session| session.key))?;
        let bytes = messages.iter().fold(bytes, |bytes, message| bytes + message.json().len() as u64);
        let new = NewMessages { messages, first, bytes };
        self.limits.check_session(OPERATION, new.end(), new.bytes)?;
        Ok(new)
    }

    /// The messages that are not in the session yet.
    fn unknown(&self, connection: &Connection, session: Option<i64>) -> Outcome<Vec<&EncodedMessage>> {
        let mut seen = HashSet::new();
        let mut unknown = Vec::with_capacity(self.batch.messages.len());
        for (at, message) in self.batch.messages.iter().enumerate() {
            if at < self.batch.maybe_known
                && let Some(id) = id_column(message)
                && (!seen.insert(id) || is_known(connection, session, id)?)
            {
                continue;
            }
            unknown.push(message);
        }
        Ok(unknown)
    }
}

/// The messages that a session accepts.
struct NewMessages<'a> {
    messages: Vec<&'a EncodedMessage>,
    /// The position of the first.
    first: u64,
    /// The size of the session with them, in bytes.
    bytes: u64,
}

impl NewMessages<'_> {
    /// The number of messages of the session with them.
    fn end(&self) -> u64 {
        self.first + self.messages.len() as u64
    }

    fn write(&self, connection: &Connection, session: i64) -> Outcome<()> {
        for (position, message) in (self.first..).zip(&self.messages) {
            let json = ToSqlOutput::Borrowed(ValueRef::Text(message.json()));
            ADD.execute(connection, params![place(session, position), session, id_column(message), json])?;
        }
        Ok(())
    }
}

/// A message's id as stored; `None` if it is empty.
fn id_column(message: &EncodedMessage) -> Option<&[u8]> {
    Some(message.id().as_bytes()).filter(|id| !id.is_empty())
}

fn is_known(connection: &Connection, session: Option<i64>, id: &[u8]) -> Outcome<bool> {
    let Some(session) = session else { return Ok(false) };
    Ok(KNOWN.exists(connection, params![session, id])?)
}
