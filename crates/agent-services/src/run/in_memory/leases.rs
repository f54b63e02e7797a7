//! The leases of the owners of runs, in Unix seconds.

use std::collections::HashMap;

use crate::run::{EXPIRED_LEASES, OwnerId};

/// A lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    until: i64,
    /// Since when it has been held without a gap.
    since: i64,
    /// Its length at the last renewal.
    pub(super) length: i64,
}

/// The leases that have not been released.
#[derive(Debug, Default)]
pub(super) struct Leases(HashMap<OwnerId, Lease>);

impl Leases {
    /// Creates or renews a lease until this time.
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

    /// Whether an owner without a live lease has had its time to come back, as far as the taker can know.
    pub(super) fn is_given_up(&self, owner: &OwnerId, taker: &Lease, taken_until: i64, now: i64) -> bool {
        let may_come_back = now < taker.since.saturating_add(taker.length) || now < taken_until;
        !self.0.contains_key(owner) || !may_come_back
    }
}
