//! How much memory the sessions take together, and which of them go first.

use std::collections::{BTreeMap, HashMap};

use agent_schemas::{SessionId, UserId};

type Name = (UserId, SessionId);

/// About what a session takes besides its messages.
const OVERHEAD: u64 = 2048;

/// The sizes of all sessions, and the order in which they were last written.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) max_bytes: u64,
    held: u64,
    next_use: u64,
    sessions: HashMap<Name, Entry>,
    by_use: BTreeMap<u64, Name>,
}

#[derive(Debug)]
struct Entry {
    bytes: u64,
    last_use: u64,
}

impl Budget {
    pub(super) fn new(max_bytes: u64) -> Self {
        Budget { max_bytes, held: 0, next_use: 0, sessions: HashMap::new(), by_use: BTreeMap::new() }
    }

    /// Notes that a session was written and how large its messages are now; gives the sessions that have to go.
    pub(super) fn note(&mut self, user: &UserId, id: &SessionId, bytes: u64) -> Vec<Name> {
        self.forget(user, id);
        let name = (user.clone(), id.clone());
        let entry = Entry { bytes: bytes + OVERHEAD, last_use: self.next_use };
        self.next_use += 1;
        self.held += entry.bytes;
        self.by_use.insert(entry.last_use, name.clone());
        self.sessions.insert(name, entry);
        let mut gone = Vec::new();
        // The one that was just written stays, however large it is.
        while self.held > self.max_bytes && self.by_use.len() > 1 {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            self.held -= self.sessions.remove(&oldest).map_or(0, |entry| entry.bytes);
            gone.push(oldest);
        }
        gone
    }

    pub(super) fn forget(&mut self, user: &UserId, id: &SessionId) {
        if let Some(entry) = self.sessions.remove(&(user.clone(), id.clone())) {
            self.by_use.remove(&entry.last_use);
            self.held -= entry.bytes;
        }
    }
}
