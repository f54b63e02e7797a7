//! Creates, changes and deletes sessions.

use agent_schemas::{SessionId, UserId};
use rusqlite::{Connection, params};

use super::anonymous;
use super::place::{place, places};
use super::read::{self, Size};
use crate::limits::{StoreLimits, json_text};
use crate::session::{SessionChange, SessionInfo};
use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::statement::{bounded, statements};
use crate::sqlite::users;
use crate::{Error, ErrorKind, Result};

pub(in crate::sqlite) const OPERATION: &str = "change a session";

statements! {
    NEXT_NUMBER: "UPDATE users SET last_session = last_session + 1 WHERE key = ?1";
    ADD: "INSERT INTO sessions (user, id, number, metadata, messages, bytes, created_at, updated_at) \
          VALUES (?1, ?2, (SELECT last_session FROM users WHERE key = ?1), '{}', ?3, ?4, ?5, ?5)";
    SET_TITLE: "UPDATE sessions SET title = ?2 WHERE key = ?1";
    SET_METADATA: "UPDATE sessions SET metadata = ?2 WHERE key = ?1";
    TOUCH: "UPDATE sessions SET updated_at = ?2 WHERE key = ?1";
    DELETE_MESSAGES: "DELETE FROM messages WHERE place >= ?1 AND place < ?2";
    DELETE_BATCHES: "DELETE FROM batches WHERE session = ?1";
    DELETE_MESSAGE: "DELETE FROM messages WHERE place = ?1 AND session = ?2 AND id IS ?3 RETURNING octet_length(json)";
    SHRINK: "UPDATE sessions SET bytes = ?2 WHERE key = ?1";
    DELETE: "DELETE FROM sessions WHERE key = ?1 RETURNING anonymous, bytes";
    KEYS: "SELECT key FROM sessions WHERE user = ?1";
}

/// Creates a session for messages that are added to it next; returns its key.
pub(super) fn make(
    connection: &Connection,
    user: i64,
    id: &[u8],
    (messages, bytes): (u64, u64),
    now: i64,
) -> Outcome<i64> {
    NEXT_NUMBER.execute(connection, [user])?;
    ADD.execute(connection, params![user, id, bounded(messages), bounded(bytes), now])?;
    Ok(connection.last_insert_rowid())
}

/// A session, created if necessary.
pub(in crate::sqlite) fn create(
    connection: &Connection,
    user: &UserId,
    id: &SessionId,
    now: i64,
) -> Outcome<SessionInfo> {
    if let Some(info) = read::info(connection, user, id)? {
        if let Some(Size { key, bytes, is_anonymous: true, .. }) = read::size(connection, user, id)? {
            anonymous::name(connection, key, bytes)?;
        }
        return Ok(info);
    }
    let key = users::find_or_add(connection, user.as_str())?;
    make(connection, key, id.as_str().as_bytes(), (0, 0), now)?;
    known(connection, user, id)
}

/// A change that is ready to be made.
pub(in crate::sqlite) struct Change {
    user: UserId,
    session: SessionId,
    title: Option<Option<String>>,
    metadata: Option<String>,
}

impl Change {
    /// # Errors
    /// If something is too large.
    pub(in crate::sqlite) fn new(
        user: &UserId,
        session: &SessionId,
        change: SessionChange,
        limits: &StoreLimits,
    ) -> Result<Self> {
        let SessionChange { title, metadata } = change;
        limits.check_item(OPERATION, title.iter().flatten().map(String::len).sum())?;
        let metadata = metadata.map(|metadata| json_text(OPERATION, &metadata)).transpose()?;
        limits.check_item(OPERATION, metadata.as_ref().map_or(0, String::len))?;
        Ok(Change { user: user.clone(), session: session.clone(), title, metadata })
    }

    pub(in crate::sqlite) fn run(&self, connection: &Connection, now: i64) -> Outcome<SessionInfo> {
        let Some(Size { key, bytes, is_anonymous, .. }) = read::size(connection, &self.user, &self.session)?
        else {
            let message = format!("there is no session '{}'", self.session);
            return Err(Error::new(ErrorKind::NotFound, OPERATION, message).into());
        };
        if is_anonymous {
            anonymous::name(connection, key, bytes)?;
        }
        if let Some(title) = &self.title {
            SET_TITLE.execute(connection, params![key, title.as_ref().map(String::as_bytes)])?;
        }
        if let Some(metadata) = &self.metadata {
            SET_METADATA.execute(connection, params![key, metadata])?;
        }
        TOUCH.execute(connection, [key, now])?;
        known(connection, &self.user, &self.session)
    }
}

/// Deletes a session; returns whether it existed.
pub(in crate::sqlite) fn delete(connection: &Connection, user: &UserId, id: &SessionId) -> Outcome<bool> {
    let Some(Size { key, .. }) = read::size(connection, user, id)? else { return Ok(false) };
    delete_by_key(connection, key)?;
    Ok(true)
}

/// Deletes the message at a position if it has this id; returns whether there was one.
pub(in crate::sqlite) fn delete_message(
    connection: &Connection,
    user: &UserId,
    id: &SessionId,
    at: u64,
    message_id: &str,
) -> Outcome<bool> {
    let session = read::size(connection, user, id)?;
    let Some(Size { key, bytes, messages, is_anonymous }) = session else { return Ok(false) };
    if at >= messages {
        return Ok(false);
    }
    let message_id = Some(message_id.as_bytes()).filter(|id| !id.is_empty());
    let deleted = DELETE_MESSAGE
        .one(connection, params![place(key, at), key, message_id], |row| Ok(row.get::<_, u64>(0)?))?;
    let Some(size) = deleted else { return Ok(false) };
    let left = bytes.saturating_sub(size);
    SHRINK.execute(connection, params![key, bounded(left)])?;
    if is_anonymous {
        anonymous::grow(connection, bytes, left)?;
    }
    Ok(true)
}

/// Deletes all sessions of a user; returns how many there were.
pub(in crate::sqlite) fn delete_user(connection: &Connection, user: &UserId) -> Outcome<u64> {
    let Some(user) = users::find(connection, user.as_str())? else { return Ok(0) };
    let keys: Vec<i64> = KEYS.all(connection, [user], |row| Ok(row.get(0)?))?;
    for key in &keys {
        delete_by_key(connection, *key)?;
    }
    users::forget_unused(connection, user)?;
    Ok(keys.len() as u64)
}

pub(super) fn delete_by_key(connection: &Connection, key: i64) -> Outcome<()> {
    let places = places(key, 0);
    DELETE_MESSAGES.execute(connection, [places.start, places.end])?;
    DELETE_BATCHES.execute(connection, [key])?;
    let deleted = DELETE.one(connection, [key], |row| Ok((row.get::<_, bool>(0)?, row.get::<_, u64>(1)?)))?;
    match deleted {
        Some((true, bytes)) => anonymous::forget(connection, bytes),
        _ => Ok(()),
    }
}

/// An existing session, without its messages.
fn known(connection: &Connection, user: &UserId, id: &SessionId) -> Outcome<SessionInfo> {
    let info = read::info(connection, user, id)?;
    info.ok_or_else(|| Failure::Damaged("a session is missing from its index".to_owned()))
}
