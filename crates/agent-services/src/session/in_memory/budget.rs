//! The total memory of the sessions, and the order in which they are evicted.

use std::collections::BTreeMap;

use agent_schemas::{SessionId, UserId};

type Name = (UserId, SessionId);

/// The approximate size of a session apart from its messages.
const OVERHEAD: u64 = 2048;

/// The total size of all sessions, and the order in which they were last written.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) max_bytes: u64,
    held: u64,
    next_use: u64,
    by_use: BTreeMap<u64, Name>,
}

/// A session's part of the budget, which the session keeps.
#[derive(Debug, Default)]
pub(super) struct Share {
    bytes: u64,
    /// When it was last written, as a key of the budget's order; none if it never was.
    last_use: Option<u64>,
}

impl Share {
    /// Whether the session was never written.
    pub(super) fn is_new(&self) -> bool {
        self.last_use.is_none()
    }
}

impl Budget {
    pub(super) fn new(max_bytes: u64) -> Self {
        Budget { max_bytes, held: 0, next_use: 0, by_use: BTreeMap::new() }
    }

    /// Notes that a session was written and how large its messages are now.
    pub(super) fn note(&mut self, share: &mut Share, bytes: u64, name: impl FnOnce() -> Name) {
        let name = self.forget(share).unwrap_or_else(name);
        *share = Share { bytes: bytes + OVERHEAD, last_use: Some(self.next_use) };
        self.held += share.bytes;
        self.by_use.insert(self.next_use, name);
        self.next_use += 1;
    }

    /// Releases a session's part of the budget.
    pub(super) fn forget(&mut self, share: &Share) -> Option<Name> {
        self.held -= share.bytes;
        self.by_use.remove(&share.last_use?)
    }

    /// Takes the session to evict next; `None` if memory suffices. The last written session stays, however large
    /// it is.
    pub(super) fn take_excess(&mut self) -> Option<Name> {
        let is_short = self.held > self.max_bytes && self.by_use.len() > 1;
        is_short.then(|| self.by_use.pop_first()).flatten().map(|(_, name)| name)
    }
}
