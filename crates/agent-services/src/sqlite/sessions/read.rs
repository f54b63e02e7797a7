//! Reads sessions.

use agent_schemas::{SessionId, UserId};
use rusqlite::{Connection, Row, params};

use super::place::{places, position};
use crate::page::PageSize;
use crate::session::{SessionInfo, StoredMessage};
use crate::sqlite::failure::Outcome;
use crate::sqlite::json;
use crate::sqlite::row::{text, utf8};
use crate::sqlite::statement::statements;

statements! {
    INFO: "SELECT sessions.id, number, title, metadata, messages, created_at, updated_at FROM sessions \
           JOIN users ON users.key = user WHERE users.id = ?1 AND sessions.id = ?2";
    LIST: "SELECT sessions.id, number, title, metadata, messages, created_at, updated_at FROM sessions \
           JOIN users ON users.key = user WHERE users.id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
    SIZE: "SELECT sessions.key, messages, bytes FROM sessions \
           JOIN users ON users.key = user WHERE users.id = ?1 AND sessions.id = ?2";
    SIZE_FOR: "SELECT key, messages, bytes FROM sessions WHERE user = ?1 AND id = ?2";
    MESSAGES: "SELECT place, json FROM messages WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3";
}

/// The key of a session, and its size.
pub(super) struct Size {
    pub(super) key: i64,
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

pub(super) fn size(connection: &Connection, user: &UserId, id: &SessionId) -> Outcome<Option<Size>> {
    let ids = [user.as_str().as_bytes(), id.as_str().as_bytes()];
    SIZE.one(connection, ids, size_of)
}

/// The same for a user whose key is known.
pub(super) fn size_for(connection: &Connection, user: i64, id: &[u8]) -> Outcome<Option<Size>> {
    SIZE_FOR.one(connection, params![user, id], size_of)
}

fn size_of(row: &Row<'_>) -> Outcome<Size> {
    Ok(Size { key: row.get(0)?, messages: row.get(1)?, bytes: row.get(2)? })
}

/// A session without its messages.
pub(in crate::sqlite) fn info(
    connection: &Connection,
    user: &UserId,
    id: &SessionId,
) -> Outcome<Option<SessionInfo>> {
    let ids = [user.as_str().as_bytes(), id.as_str().as_bytes()];
    INFO.one(connection, ids, |row| info_of(user, row))
}

/// The sessions before a number, newest first.
pub(in crate::sqlite) fn list(
    connection: &Connection,
    user: &UserId,
    before: i64,
    count: usize,
) -> Outcome<Vec<SessionInfo>> {
    LIST.all(connection, params![user.as_str().as_bytes(), before, count], |row| info_of(user, row))
}

/// The messages from a position on, which may depend on the number of messages.
pub(in crate::sqlite) fn messages(
    connection: &Connection,
    user: &UserId,
    id: &SessionId,
    from: impl FnOnce(u64) -> u64,
    count: PageSize,
) -> Outcome<Option<Vec<StoredMessage>>> {
    let Some(session) = size(connection, user, id)? else { return Ok(None) };
    let places = places(session.key, from(session.messages));
    let read = |row: &Row<'_>| {
        let message = json::from_text(text(row, 1)?)?;
        Ok(StoredMessage { position: position(row.get(0)?), message })
    };
    MESSAGES.all(connection, params![places.start, places.end, count.get()], read).map(Some)
}

fn info_of(user: &UserId, row: &Row<'_>) -> Outcome<SessionInfo> {
    let id = SessionId::new(utf8(row.get(0)?)?);
    let mut info = SessionInfo::new(user.clone(), id, row.get(1)?, row.get(5)?);
    info.title = row.get::<_, Option<Vec<u8>>>(2)?.map(utf8).transpose()?;
    info.metadata = json::from_text(text(row, 3)?)?;
    info.message_count = row.get(4)?;
    info.updated_at = row.get(6)?;
    Ok(info)
}
