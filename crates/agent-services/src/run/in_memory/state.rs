//! The state shared by all runs: their order, queues, keys and leases.

use std::collections::{HashMap, HashSet};

use agent_schemas::{RunId, SessionId, UserId};
use foldhash::fast::RandomState;

use super::leases::Leases;
use super::retention_queue::{Place, RetentionQueue};
use super::session_queue::SessionQueue;
use crate::run::IdempotencyKey;
use crate::shrink::shrink;
use crate::tenant::UserKey;

/// Clients choose the keys, but not the seed, which is random.
type Map<K, V> = HashMap<K, V, RandomState>;

/// The shared state, guarded by one lock.
#[derive(Debug, Default)]
pub(super) struct State {
    users: Map<UserKey, User>,
    /// The queues of sessions that have unfinished runs, or may get some.
    queues: Map<(UserKey, SessionId), SessionQueue>,
    pub(super) leases: Leases,
    /// The runs that have not ended.
    pub(super) unfinished: HashSet<RunId, RandomState>,
    /// The ended runs.
    pub(super) ended: RetentionQueue,
    /// The ended runs of which only the last log entry is kept.
    pub(super) trimmed: RetentionQueue,
    last_ended: u64,
    last_number: u64,
}

/// The runs of a user.
#[derive(Debug, Default)]
struct User {
    /// By number.
    runs: Vec<(u64, RunId)>,
    keys: Map<String, Key>,
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) fingerprint: String,
    pub(super) run: RunId,
}

impl State {
    /// The queue of a session that has unfinished runs, or may get some.
    pub(super) fn queue(&mut self, user: &UserId, session: &SessionId) -> &mut SessionQueue {
        self.queues.entry((UserKey::of(user), session.clone())).or_default()
    }

    /// The queue of a session, if it has unfinished runs.
    pub(super) fn known_queue(&mut self, user: &UserId, session: &SessionId) -> Option<&mut SessionQueue> {
        self.queues.get_mut(&(UserKey::of(user), session.clone()))
    }

    /// Drops entries that are no longer needed.
    pub(super) fn tidy(&mut self, user: &UserId, session: &SessionId) {
        let session = (UserKey::of(user), session.clone());
        if self.queues.get(&session).is_some_and(SessionQueue::is_empty) {
            self.queues.remove(&session);
        }
        let user = session.0;
        if self.users.get(&user).is_some_and(|known| known.runs.is_empty() && known.keys.is_empty()) {
            self.users.remove(&user);
        }
    }

    /// Gives back memory that deleted runs used.
    pub(super) fn shrink(&mut self) {
        shrink(&mut self.users);
        shrink(&mut self.queues);
    }

    pub(super) fn key(&self, user: &UserId, key: &str) -> Option<&Key> {
        self.users.get(&UserKey::of(user))?.keys.get(key)
    }

    pub(super) fn keep_key(&mut self, user: &UserId, key: IdempotencyKey, run: &RunId) {
        let kept = Key { fingerprint: key.fingerprint, run: run.clone() };
        self.users.entry(UserKey::of(user)).or_default().keys.insert(key.key, kept);
    }

    /// Assigns a new run its number among its user's runs.
    pub(super) fn enroll(&mut self, user: &UserId, id: &RunId) -> u64 {
        self.last_number += 1;
        self.users.entry(UserKey::of(user)).or_default().runs.push((self.last_number, id.clone()));
        self.unfinished.insert(id.clone());
        self.last_number
    }

    /// Removes a run's number and keys.
    pub(super) fn strike(&mut self, user: &UserId, session: &SessionId, number: u64, keys: &[String]) {
        if let Some(known) = self.users.get_mut(&UserKey::of(user)) {
            if let Ok(at) = known.runs.binary_search_by_key(&number, |(number, _)| *number) {
                let (_, id) = known.runs.remove(at);
                self.unfinished.remove(&id);
            }
            keys.iter().for_each(|key| drop(known.keys.remove(key)));
        }
        self.tidy(user, session);
    }

    /// A user's runs before a number, newest first.
    pub(super) fn newest(&self, user: &UserId, before: u64) -> impl Iterator<Item = &RunId> {
        let runs = self.users.get(&UserKey::of(user)).map_or(&[][..], |user| &user.runs[..]);
        let end = runs.partition_point(|(number, _)| *number < before);
        runs[..end].iter().rev().map(|(_, id)| id)
    }

    /// Records that a run has ended and until when its log is kept; returns its place among the ended runs.
    pub(super) fn note_end(&mut self, id: &RunId, until: i64, bytes: usize) -> Place {
        self.unfinished.remove(id);
        self.last_ended += 1;
        let place = (until, self.last_ended);
        self.ended.put(place, id, bytes);
        place
    }

    /// Records that only the last entry of an ended run's log is left, and until when it is kept; returns its new place.
    pub(super) fn note_trimmed(&mut self, id: &RunId, place: Place, until: i64, bytes: usize) -> Place {
        self.ended.take(place);
        let place = (until, place.1);
        self.trimmed.put(place, id, bytes);
        place
    }
}
