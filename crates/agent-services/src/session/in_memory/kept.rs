//! Users and their sessions in memory.

use std::collections::{BTreeMap, HashMap, HashSet};

use agent_schemas::{Message, SessionId, UserId};
use bytes::Bytes;
use foldhash::fast::RandomState;

use crate::memory_budget::MemoryBudget;
use crate::session::{EncodedMessage, SessionInfo, StoredMessage};
use crate::tenant::UserKey;

/// Clients choose the keys, but not the seed, which is random.
type Map<K, V> = HashMap<K, V, RandomState>;
type Set = HashSet<String, RandomState>;
type Name = (UserId, SessionId);

/// The approximate size of a session besides its messages.
const OVERHEAD: u64 = 2048;

/// All users, and the anonymous sessions in the order in which they were last written.
#[derive(Debug, Default)]
pub(super) struct SessionTable {
    pub(super) users: Map<UserKey, User>,
    /// The greatest number of a session of deleted users, so that no number is reused.
    forgotten_number: u64,
    anonymous: BTreeMap<Place, (Name, u64)>,
    anonymous_bytes: u64,
    last_place: u64,
    /// The anonymous sessions that were deleted since the last sweep.
    pub(super) forgotten: Vec<Name>,
}

/// When an anonymous session was last written, in Unix seconds, and a unique number.
type Place = (i64, u64);

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
    /// The size of its title and its metadata.
    pub(super) info_bytes: u64,
    pub(super) ids: Set,
    pub(super) keys: Set,
    /// Its size as counted in the budget.
    held: u64,
    /// Its place among the anonymous sessions, if it is one.
    pub(super) place: Option<Place>,
}

impl SessionTable {
    pub(super) fn find(&self, user: &UserId, id: &SessionId) -> Option<&Session> {
        self.users.get(&UserKey::of(user))?.sessions.get(id).map(|session| &**session)
    }

    /// The session with this user and id, created if necessary.
    pub(super) fn session(&mut self, user: &UserId, id: &SessionId, now: i64) -> &mut Session {
        let new = || User { last_number: self.forgotten_number, ..User::default() };
        let owner = self.users.entry(UserKey::of(user)).or_insert_with(new);
        let last_number = &mut owner.last_number;
        owner.sessions.entry(id.clone()).or_insert_with(|| {
            *last_number += 1;
            Box::new(Session {
                info: SessionInfo::new(user.clone(), id.clone(), *last_number, now),
                messages: Vec::new(),
                bytes: 0,
                info_bytes: 0,
                ids: HashSet::default(),
                keys: HashSet::default(),
                held: 0,
                place: None,
            })
        })
    }

    /// Records that a session was written, and whether it is now anonymous.
    pub(super) fn note(&mut self, budget: &MemoryBudget, user: &UserId, id: &SessionId, is_anonymous: bool) {
        let session = self.users.get_mut(&UserKey::of(user)).and_then(|user| user.sessions.get_mut(id));
        let Some(session) = session else { return };
        let bytes = session.bytes + session.info_bytes + OVERHEAD;
        budget.change(session.held, bytes);
        session.held = bytes;
        if let Some((_, bytes)) = session.place.take().and_then(|place| self.anonymous.remove(&place)) {
            self.anonymous_bytes -= bytes;
        }
        if is_anonymous {
            self.last_place += 1;
            let place = (session.info.updated_at, self.last_place);
            session.place = Some(place);
            self.anonymous.insert(place, ((user.clone(), id.clone()), bytes));
            self.anonymous_bytes += bytes;
        }
    }

    /// Deletes a session.
    pub(super) fn remove(&mut self, budget: &MemoryBudget, user: &UserId, id: &SessionId) -> bool {
        let session = self.users.get_mut(&UserKey::of(user)).and_then(|user| user.sessions.remove(id));
        session.map(|session| self.leave(budget, &session)).is_some()
    }

    /// Deletes a user with all sessions.
    pub(super) fn remove_user(&mut self, budget: &MemoryBudget, user: &UserId) -> u64 {
        let Some(User { sessions, last_number }) = self.users.remove(&UserKey::of(user)) else { return 0 };
        self.forgotten_number = self.forgotten_number.max(last_number);
        sessions.values().for_each(|session| self.leave(budget, session));
        sessions.len() as u64
    }

    /// Stops counting a session.
    fn leave(&mut self, budget: &MemoryBudget, session: &Session) {
        budget.change(session.held, 0);
        if let Some((_, bytes)) = session.place.and_then(|place| self.anonymous.remove(&place)) {
            self.anonymous_bytes -= bytes;
        }
    }

    /// When the oldest anonymous session was last written.
    pub(super) fn oldest(&self) -> Option<i64> {
        self.anonymous.first_key_value().map(|((at, _), _)| *at)
    }

    /// The size of the anonymous sessions in bytes.
    pub(super) fn anonymous_bytes(&self) -> u64 {
        self.anonymous_bytes
    }

    /// Deletes the oldest anonymous session, and its user if that was the last one.
    pub(super) fn drop_oldest(&mut self, budget: &MemoryBudget) {
        let Some((_, (name, _))) = self.anonymous.first_key_value() else { return };
        let name = name.clone();
        self.remove(budget, &name.0, &name.1);
        if self.users.get(&UserKey::of(&name.0)).is_some_and(|user| user.sessions.is_empty()) {
            self.remove_user(budget, &name.0);
        }
        self.forgotten.push(name);
    }
}

impl Session {
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
pub(super) fn decode(stored: Vec<(u64, Bytes)>) -> Vec<StoredMessage> {
    let decode =
        |(position, json): (u64, Bytes)| StoredMessage::of_read(position, Message::from_slice(&json));
    stored.into_iter().map(decode).collect()
}
