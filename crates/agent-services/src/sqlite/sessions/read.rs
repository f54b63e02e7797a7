//! Reads sessions.

use agent_schemas::{SessionId, UserId};
use rusqlite::{Connection, Row, params};

use super::place::{places, position};
use crate::damage;
use crate::page::PageSize;
use crate::session::{SessionInfo, StoredMessage};
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::{lossy, text};
use crate::sqlite::statement::statements;
use crate::sqlite::{json, users};

statements! {
    INFO: "SELECT id, number, title, metadata, messages, created_at, updated_at FROM sessions \
           WHERE user = ?1 AND id = ?2";
    LIST: "SELECT id, number, title, metadata, messages, created_at, updated_at FROM sessions \
           WHERE user = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
    SIZE: "SELECT key, messages, bytes, anonymous FROM sessions WHERE user = ?1 AND id = ?2";
    MESSAGES: "SELECT place, json FROM messages WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3";
    LAST: "SELECT place, json FROM messages WHERE place >= ?1 AND place < ?2 ORDER BY place DESC LIMIT ?3";
}

/// The key of a session, and its size.
pub(super) struct Size {
    pub(super) key: i64,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    pub(super) is_anonymous: bool,
}

pub(super) fn size(connection: &Connection, user: &UserId, id: &SessionId) -> Outcome<Option<Size>> {
    let Some(user) = users::find(connection, user.as_str())? else { return Ok(None) };
    size_for(connection, user, id.as_str().as_bytes())
}

/// The same for a user whose key is known.
pub(super) fn size_for(connection: &Connection, user: i64, id: &[u8]) -> Outcome<Option<Size>> {
    SIZE.one(connection, params![user, id], size_of)
}

fn size_of(row: &Row<'_>) -> Outcome<Size> {
    Ok(Size { key: row.get(0)?, messages: row.get(1)?, bytes: row.get(2)?, is_anonymous: row.get(3)? })
}

/// A session without its messages.
pub(in crate::sqlite) fn info(
    connection: &Connection,
    user: &UserId,
    id: &SessionId,
) -> Outcome<Option<SessionInfo>> {
    let Some(key) = users::find(connection, user.as_str())? else { return Ok(None) };
    INFO.one(connection, params![key, id.as_str().as_bytes()], |row| info_of(user, row))
}

/// The sessions before a number, newest first.
pub(in crate::sqlite) fn list(
    connection: &Connection,
    user: &UserId,
    before: i64,
    count: usize,
) -> Outcome<Vec<SessionInfo>> {
    let Some(key) = users::find(connection, user.as_str())? else { return Ok(Vec::new()) };
    LIST.all(connection, params![key, before, count], |row| info_of(user, row))
}

/// The messages from a position on.
pub(in crate::sqlite) fn messages(
    connection: &Connection,
    user: &UserId,
    id: &SessionId,
    from: u64,
    count: PageSize,
) -> Outcome<Option<Vec<StoredMessage>>> {
    let Some(session) = size(connection, user, id)? else { return Ok(None) };
    let places = places(session.key, from);
    MESSAGES.all(connection, params![places.start, places.end, count.get()], message_of).map(Some)
}

/// The last messages.
pub(in crate::sqlite) fn last_messages(
    connection: &Connection,
    user: &UserId,
    id: &SessionId,
    count: PageSize,
) -> Outcome<Option<Vec<StoredMessage>>> {
    let Some(session) = size(connection, user, id)? else { return Ok(None) };
    let places = places(session.key, 0);
    let mut last = LAST.all(connection, params![places.start, places.end, count.get()], message_of)?;
    last.reverse();
    Ok(Some(last))
}

fn message_of(row: &Row<'_>) -> Outcome<StoredMessage> {
    let message = text(row, 1).and_then(json::from_text);
    Ok(StoredMessage::of_read(position(row.get(0)?), message))
}

fn info_of(user: &UserId, row: &Row<'_>) -> Outcome<SessionInfo> {
    let id = SessionId::new(lossy(row, 0)?);
    let mut info = SessionInfo::new(user.clone(), id, row.get(1)?, row.get(5)?);
    info.title = row.get::<_, Option<Vec<u8>>>(2)?.map(|title| String::from_utf8_lossy(&title).into_owned());
    info.metadata = damage::metadata(info.id.as_str(), text(row, 3).and_then(json::from_text));
    info.message_count = row.get(4)?;
    info.updated_at = row.get(6)?;
    Ok(info)
}
