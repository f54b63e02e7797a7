//! What is kept of users and their sessions.

use std::collections::{HashMap, HashSet};

use agent_schemas::{Message, SessionId, UserId};
use bytes::Bytes;

use super::budget::{Budget, Share};
use crate::session::{EncodedMessage, SessionInfo, StoredMessage};
use crate::{Error, ErrorKind, Result};

/// All users, and what their sessions take.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) users: HashMap<UserId, User>,
    pub(super) budget: Budget,
}

#[derive(Debug, Default)]
pub(super) struct User {
    /// Boxed, as most users have one session, and a table has room for several.
    pub(super) sessions: HashMap<SessionId, Box<Session>>,
    /// The number of the session that was made last.
    last_number: u64,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) info: SessionInfo,
    /// The messages' JSON, as it was given: most messages are never read again.
    pub(super) messages: Vec<Bytes>,
    pub(super) bytes: u64,
    pub(super) ids: HashSet<String>,
    pub(super) keys: HashSet<String>,
    pub(super) share: Share,
}

impl Kept {
    /// Notes that a session was written, and forgets others where memory is short.
    pub(super) fn note(&mut self, user: &UserId, id: &SessionId) {
        let Kept { users, budget } = self;
        let Some(session) = users.get_mut(user).and_then(|user| user.sessions.get_mut(id)) else { return };
        budget.note(&mut session.share, session.bytes, || (user.clone(), id.clone()));
        while let Some((user, id)) = budget.excess() {
            let Some(owner) = users.get_mut(&user) else { return };
            let Some(session) = owner.sessions.remove(&id) else { return };
            budget.forget(&session.share);
            if owner.sessions.is_empty() {
                users.remove(&user);
            }
        }
    }
}

impl User {
    /// The session of this id, which is made if there is none.
    pub(super) fn session(&mut self, user: &UserId, id: &SessionId, now: i64) -> &mut Session {
        let last_number = &mut self.last_number;
        self.sessions.entry(id.clone()).or_insert_with(|| {
            *last_number += 1;
            let info = SessionInfo::new(user.clone(), id.clone(), *last_number, now);
            let (messages, ids, keys) = (Vec::new(), HashSet::new(), HashSet::new());
            Box::new(Session { info, messages, bytes: 0, ids, keys, share: Share::default() })
        })
    }
}

impl Session {
    /// The messages of a batch that are to be stored.
    pub(super) fn unknown(
        &self,
        mut messages: Vec<EncodedMessage>,
        maybe_known: usize,
    ) -> Vec<EncodedMessage> {
        let mut seen = HashSet::new();
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
        Err(error) => {
            Err(Error::new(ErrorKind::Unexpected, operation, "a message cannot be read").with_source(error))
        }
    };
    stored.into_iter().map(decode).collect()
}
