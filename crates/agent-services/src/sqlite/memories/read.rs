//! Searching and listing memories.

use std::collections::HashSet;

use agent_schemas::{SessionId, UserId};
use foldhash::fast::RandomState;
use rusqlite::{Connection, Row, params};

use super::postings;
use crate::damage;
use crate::memory::rank::{Corpus, best};
use crate::memory::{Memory, MemoryQuery, Recalled, words};
use crate::sqlite::failure::Outcome;
use crate::sqlite::row::{lossy, text};
use crate::sqlite::statement::{bounded, statements};
use crate::sqlite::{json, users};

statements! {
    CORPUS: "SELECT key, texts, words FROM users WHERE id = ?1";
    GET: "SELECT number, session, created_at, json FROM memories WHERE user = ?1 AND number = ?2";
    LIST: "SELECT number, session, created_at, json FROM memories WHERE user = ?1 AND number < ?2 \
           ORDER BY number DESC LIMIT ?3";
    LIST_SESSION: "SELECT number, session, created_at, json FROM memories \
                   WHERE user = ?1 AND number < ?2 AND session = ?4 ORDER BY number DESC LIMIT ?3";
    OF_TIME: "SELECT number FROM memories WHERE user = ?1 AND created_at BETWEEN ?2 AND ?3";
    // Left to itself, SQLite would look through all sessions of that time.
    OF_SESSION: "SELECT number FROM memories INDEXED BY memories_by_session \
                 WHERE user = ?1 AND session = ?4 AND created_at BETWEEN ?2 AND ?3";
}

/// Numbers of memories. Clients do not choose them, so a fast hash is safe.
type Numbers = HashSet<u64, RandomState>;

/// What fits a query best.
pub(super) fn search(connection: &Connection, user: &UserId, query: &MemoryQuery) -> Outcome<Vec<Recalled>> {
    let corpus = CORPUS.one(connection, [user.as_str().as_bytes()], |row| {
        Ok((row.get(0)?, Corpus { texts: row.get(1)?, words: row.get(2)? }))
    })?;
    let Some((user, corpus)) = corpus else { return Ok(Vec::new()) };
    let words = words::of_query(&query.text);
    let words =
        words.iter().map(|word| postings::read(connection, user, word)).collect::<Outcome<Vec<_>>>()?;
    let allowed = allowed(connection, user, query)?;
    let is_wanted = |number: u64, score: f64| {
        score >= query.min_score && allowed.as_ref().is_none_or(|allowed| allowed.contains(&number))
    };
    let mut recalled = Vec::new();
    for (number, score) in best(corpus, &words, query.top_k, is_wanted) {
        // With another version of Unicode a word may not have been found in the index when its memory was deleted.
        let memory = GET.one(connection, [user, bounded(number)], memory_of)?;
        recalled.extend(memory.map(|memory| Recalled { memory, score }));
    }
    Ok(recalled)
}

/// The memories that the filters of a query allow; `None` if it has none.
fn allowed(connection: &Connection, user: i64, query: &MemoryQuery) -> Outcome<Option<Numbers>> {
    if query.session_id.is_none() && query.since.is_none() && query.until.is_none() {
        return Ok(None);
    }
    let since = query.since.unwrap_or(i64::MIN);
    let last = query.until.map_or(Some(i64::MAX), |until| until.checked_sub(1));
    // Nothing is before the first second.
    let Some(last) = last else { return Ok(Some(Numbers::default())) };
    let read = |row: &Row<'_>| Ok(row.get::<_, u64>(0)?);
    let numbers = match &query.session_id {
        Some(session) => {
            OF_SESSION.all(connection, params![user, since, last, session.as_str().as_bytes()], read)
        }
        None => OF_TIME.all(connection, params![user, since, last], read),
    };
    Ok(Some(numbers?.into_iter().collect()))
}

/// The memories before a number, the newest first.
pub(super) fn list(
    connection: &Connection,
    user: &UserId,
    session: Option<&SessionId>,
    before: i64,
    count: usize,
) -> Outcome<Vec<Memory>> {
    let Some(user) = users::find(connection, user.as_str())? else { return Ok(Vec::new()) };
    match session {
        Some(session) => {
            let session = session.as_str().as_bytes();
            LIST_SESSION.all(connection, params![user, before, count, session], memory_of)
        }
        None => LIST.all(connection, params![user, before, count], memory_of),
    }
}

fn memory_of(row: &Row<'_>) -> Outcome<Memory> {
    let (number, session) = (row.get(0)?, SessionId::new(lossy(row, 1)?));
    let message = damage::message("memory", number, text(row, 3).and_then(json::from_text));
    Ok(Memory::new(number, session, row.get(2)?, message))
}
