//! The leases of those who execute runs, in Unix seconds.

use std::collections::HashMap;

use crate::run::{EXPIRED_LEASES, OwnerId};

/// A lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    until: i64,
    /// Since when it has been held without a gap.
    since: i64,
    /// How long it was when it was renewed last.
    pub(super) length: i64,
}

/// The leases that were not released.
#[derive(Debug, Default)]
pub(super) struct Leases(HashMap<OwnerId, Lease>);

impl Leases {
    /// Makes or renews a lease, which lasts until then.
    pub(super) fn renew(&mut self, owner: &OwnerId, now: i64, until: i64) {
        self.0.retain(|_, lease| now < lease.until.saturating_add(EXPIRED_LEASES));
        let since = self.live(owner, now).map_or(now, |lease| lease.since);
        self.0.insert(owner.clone(), Lease { until, since, length: until.saturating_sub(now) });
    }

    pub(super) fn release(&mut self, owner: &OwnerId) {
        self.0.remove(owner);
    }

    /// An owner's lease, unless it has expired.
    pub(super) fn live(&self, owner: &OwnerId, now: i64) -> Option<Lease> {
        self.0.get(owner).copied().filter(|lease| now < lease.until)
    }

    pub(super) fn lives(&self, owner: &OwnerId, now: i64) -> bool {
        self.live(owner, now).is_some()
    }

    /// Whether an owner that does not live has had its time to come back, as far as this taker can know.
    pub(super) fn is_given_up(&self, owner: &OwnerId, taker: &Lease, taken_until: i64, now: i64) -> bool {
        let may_come_back = now < taker.since.saturating_add(taker.length) || now < taken_until;
        !self.0.contains_key(owner) || !may_come_back
    }
}
