//! Users and their sessions in memory.

use std::collections::{HashMap, HashSet};

use agent_schemas::{Message, SessionId, UserId};
use bytes::Bytes;
use foldhash::fast::RandomState;

use super::budget::{Budget, Share};
use crate::session::{EncodedMessage, SessionInfo, StoredMessage};
use crate::{Error, ErrorKind, Result};

/// Clients choose the keys, but not the seed, which is random.
type Map<K, V> = HashMap<K, V, RandomState>;
type Set = HashSet<String, RandomState>;

/// All users, and the total size of their sessions.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) users: Map<UserId, User>,
    pub(super) budget: Budget,
}

#[derive(Debug, Default)]
pub(super) struct User {
    /// Boxed, as most users have one session, and a table has room for several.
    pub(super) sessions: Map<SessionId, Box<Session>>,
    /// The number of the last session created.
    last_number: u64,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) info: SessionInfo,
    /// The messages' JSON, unparsed: most messages are never read again.
    pub(super) messages: Vec<Bytes>,
    pub(super) bytes: u64,
    pub(super) ids: Set,
    pub(super) keys: Set,
    pub(super) share: Share,
}

impl Kept {
    /// The session of this user and id, created if necessary, and the budget.
    pub(super) fn session(&mut self, user: &UserId, id: &SessionId, now: i64) -> (&mut Session, &mut Budget) {
        let owner = self.users.entry(user.clone()).or_default();
        let last_number = &mut owner.last_number;
        let session = owner.sessions.entry(id.clone()).or_insert_with(|| {
            *last_number += 1;
            Box::new(Session {
                info: SessionInfo::new(user.clone(), id.clone(), *last_number, now),
                messages: Vec::new(),
                bytes: 0,
                ids: HashSet::default(),
                keys: HashSet::default(),
                share: Share::default(),
            })
        });
        (session, &mut self.budget)
    }

    /// Deletes a session.
    pub(super) fn remove(&mut self, user: &UserId, id: &SessionId) -> bool {
        let session = self.users.get_mut(user).and_then(|user| user.sessions.remove(id));
        session.map(|session| self.budget.forget(&session.share)).is_some()
    }

    /// Evicts sessions while memory is short.
    pub(super) fn make_room(&mut self) {
        while let Some((user, id)) = self.budget.take_excess() {
            self.remove(&user, &id);
            if self.users.get(&user).is_some_and(|user| user.sessions.is_empty()) {
                self.users.remove(&user);
            }
        }
    }
}

impl Session {
    /// Notes that it was written.
    pub(super) fn note(&mut self, budget: &mut Budget) {
        let info = &self.info;
        budget.note(&mut self.share, self.bytes, || (info.user_id.clone(), info.id.clone()));
    }

    /// The messages of a batch that have to be stored.
    pub(super) fn unknown(
        &self,
        mut messages: Vec<EncodedMessage>,
        maybe_known: usize,
    ) -> Vec<EncodedMessage> {
        let mut seen = Set::default();
        let mut at = 0;
        messages.retain(|message| {
            at += 1;
            let (is_sure, id) = (at > maybe_known, message.id());
            is_sure || id.is_empty() || (!self.ids.contains(id) && seen.insert(id.to_owned()))
        });
        messages
    }

    /// Adds messages at the end.
    pub(super) fn extend(&mut self, messages: Vec<EncodedMessage>) {
        for message in messages {
            let (id, json) = message.into_parts();
            self.bytes += json.len() as u64;
            self.messages.push(json);
            if !id.is_empty() {
                self.ids.insert(id);
            }
        }
        self.info.message_count = self.messages.len() as u64;
    }

    /// The JSON of messages with their positions.
    pub(super) fn stored(&self, from: usize, count: usize) -> Vec<(u64, Bytes)> {
        let messages = self.messages.iter().enumerate().skip(from).take(count);
        messages.map(|(position, json)| (position as u64, json.clone())).collect()
    }
}

/// Messages that were stored.
pub(super) fn decode(operation: &'static str, stored: Vec<(u64, Bytes)>) -> Result<Vec<StoredMessage>> {
    let decode = |(position, json): (u64, Bytes)| match Message::from_slice(&json) {
        Ok(message) => Ok(StoredMessage { position, message }),
        Err(error) => Err(Error::new(ErrorKind::Unexpected, operation, "could not read a stored message")
            .with_source(error)),
    };
    stored.into_iter().map(decode).collect()
}
