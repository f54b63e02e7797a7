//! Adds and deletes memories, with their words.

use std::collections::BTreeMap;

use agent_schemas::{Message, SessionId, UserId};
use rusqlite::{Connection, params};

use super::postings::{self, ByWord};
use crate::Result;
use crate::damage;
use crate::limits::{StoreLimits, json_text};
use crate::memory::rank::Posting;
use crate::memory::words;
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::text;
use crate::sqlite::statement::{bounded, statements};
use crate::sqlite::{json, users};

pub(super) const OPERATION: &str = "add memories";

/// How many memories are deleted in one step: all of their words must fit into memory.
const PORTION: usize = 1000;

statements! {
    LAST_NUMBER: "SELECT last_memory FROM users WHERE key = ?1";
    ADD: "INSERT INTO memories (user, number, session, created_at, length, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    GROW: "UPDATE users SET last_memory = ?2, texts = texts + ?3, words = words + ?4 WHERE key = ?1";
    SHRINK: "UPDATE users SET texts = texts - ?2, words = words - ?3 WHERE key = ?1";
    EMPTY: "UPDATE users SET texts = 0, words = 0 WHERE key = ?1";
    GET: "SELECT length, json FROM memories WHERE user = ?1 AND number = ?2";
    DELETE: "DELETE FROM memories WHERE user = ?1 AND number = ?2";
    OF_SESSION: "SELECT number FROM memories WHERE user = ?1 AND session = ?2 ORDER BY number";
    DELETE_USER: "DELETE FROM memories WHERE user = ?1";
}

/// Messages that are ready to be added.
pub(super) struct Addition {
    user: UserId,
    session: SessionId,
    texts: Vec<Text>,
}

/// A message as JSON text, with its words.
struct Text {
    json: String,
    words: BTreeMap<String, u32>,
    length: u32,
}

impl Addition {
    /// # Errors
    /// If a message is too large.
    pub(super) fn new(
        user: UserId,
        session: SessionId,
        messages: &[Message],
        limits: &StoreLimits,
    ) -> Result<Self> {
        let text = |message: &Message| {
            let json = json_text(OPERATION, message)?;
            limits.check_item(OPERATION, json.len())?;
            let words = words::of_message(message);
            let length = words.values().sum();
            Ok(Text { json, words, length })
        };
        let texts = messages.iter().map(text).collect::<Result<_>>()?;
        Ok(Addition { user, session, texts })
    }

    /// Adds the messages; returns their numbers.
    pub(super) fn run(&self, connection: &Connection, now: i64) -> Outcome<Vec<u64>> {
        let user = users::find_or_add(connection, self.user.as_str())?;
        let last: Option<u64> = LAST_NUMBER.one(connection, [user], |row| Ok(row.get(0)?))?;
        let numbers: Vec<u64> = (last.unwrap_or_default() + 1..).take(self.texts.len()).collect();
        let Some(last) = numbers.last() else { return Ok(numbers) };
        let mut postings = ByWord::new();
        let (mut texts, mut length) = (0, 0);
        for (number, text) in numbers.iter().zip(&self.texts) {
            let session = self.session.as_str().as_bytes();
            let row = params![user, bounded(*number), session, now, text.length, text.json];
            ADD.execute(connection, row)?;
            for (word, occurrences) in &text.words {
                let posting = Posting { number: *number, occurrences: *occurrences, length: text.length };
                postings.entry(word.clone()).or_default().push(posting);
            }
            texts += i64::from(text.length > 0);
            length += i64::from(text.length);
        }
        postings::add(connection, user, &postings)?;
        GROW.execute(connection, params![user, bounded(*last), texts, length])?;
        Ok(numbers)
    }
}

/// Deletes a memory; returns whether it existed.
pub(super) fn delete(connection: &Connection, user: &UserId, number: u64) -> Outcome<bool> {
    let Some(user) = users::find(connection, user.as_str())? else { return Ok(false) };
    Ok(remove(connection, user, &[number])? > 0)
}

/// Deletes the memories of a session; returns how many there were.
pub(super) fn delete_session(connection: &Connection, user: &UserId, session: &SessionId) -> Outcome<u64> {
    let Some(user) = users::find(connection, user.as_str())? else { return Ok(0) };
    let ids = params![user, session.as_str().as_bytes()];
    let numbers: Vec<u64> = OF_SESSION.all(connection, ids, |row| Ok(row.get(0)?))?;
    let mut deleted = 0;
    for portion in numbers.chunks(PORTION) {
        deleted += remove(connection, user, portion)?;
    }
    Ok(deleted)
}

/// Deletes the memories of a user; returns how many there were.
pub(super) fn delete_user(connection: &Connection, user: &UserId) -> Outcome<u64> {
    let Some(user) = users::find(connection, user.as_str())? else { return Ok(0) };
    postings::remove_user(connection, user)?;
    EMPTY.execute(connection, [user])?;
    let deleted = DELETE_USER.execute(connection, [user])? as u64;
    users::forget_unused(connection, user)?;
    Ok(deleted)
}

/// Removes memories, given by their numbers in order. Each block of postings is written once for all of them.
fn remove(connection: &Connection, user: i64, numbers: &[u64]) -> Outcome<u64> {
    let mut by_word: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let (mut removed, mut texts, mut length) = (0, 0, 0);
    for number in numbers {
        let ids = [user, bounded(*number)];
        let found = GET.one(connection, ids, |row| {
            // The words of an unreadable memory stay in the index, where they match nothing.
            let message = damage::message("memory", *number, text(row, 1).and_then(json::from_text));
            Ok((row.get::<_, i64>(0)?, message))
        })?;
        let Some((words, message)) = found else { continue };
        DELETE.execute(connection, ids)?;
        removed += 1;
        texts += i64::from(words > 0);
        length += words;
        for word in words::of_message(&message).into_keys() {
            by_word.entry(word).or_default().push(*number);
        }
    }
    for (word, numbers) in &by_word {
        postings::remove(connection, user, word, numbers)?;
    }
    SHRINK.execute(connection, [user, texts, length])?;
    Ok(removed)
}
