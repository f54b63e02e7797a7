//! The system clock and random ids, and a clock and ids for tests.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agent_schemas::{Clock, IdSource};
use uuid::{Builder, Uuid};

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_seconds(&self) -> i64 {
        // A clock past the year 292 billion is broken; the nearest representable time will do.
        i64::try_from(since_1970().as_secs()).unwrap_or(i64::MAX)
    }
}

/// The time since 1970; zero if the clock is before 1970.
fn since_1970() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Random ids from the operating system's generator. UUIDs have version 7 (RFC 9562): the time in milliseconds, then
/// random bits.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn uuid(&self) -> String {
        // The bytes of a version 4 UUID that are entirely random.
        let [a, b, c, d, e, f, _, _, _, g, h, i, j, ..] = Uuid::new_v4().into_bytes();
        let random = [a, b, c, d, e, f, g, h, i, j];
        Builder::from_unix_timestamp_millis(milliseconds(), &random).into_uuid().to_string()
    }

    fn random(&self) -> String {
        // A version 4 UUID fixes six bits, so two of them are needed for 128 random ones.
        let first = Uuid::new_v4().as_u128();
        let second = Uuid::new_v4().as_u128();
        format!("{:032x}", first ^ second.rotate_left(64))
    }

    fn ordered(&self) -> String {
        format!("{:012x}{}", milliseconds(), self.random())
    }
}

/// The time since 1970 in milliseconds; ids contain the lowest 48 bits.
fn milliseconds() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or_default() & 0xffff_ffff_ffff
}

/// A clock that a test sets.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands still at this time, in Unix seconds.
    pub fn at(unix_seconds: i64) -> Self {
        ManualClock(AtomicI64::new(unix_seconds))
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Ids that count from 1, for tests.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl CountingIds {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

impl IdSource for CountingIds {
    fn uuid(&self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.next())
    }

    fn random(&self) -> String {
        format!("{:032}", self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids__are_unique_and_ordered() {
        let (first, second) = (SystemIds.ordered(), SystemIds.ordered());
        assert_eq!((first.len(), second.len()), (44, 44));
        assert!(first[..12] <= second[..12] && first[12..] != second[12..], "{first} {second}");
        let ids = [SystemIds.uuid(), SystemIds.uuid()].map(|id| Uuid::parse_str(&id).expect("a UUID"));
        assert!(ids[0] != ids[1] && ids.iter().all(|id| id.get_version_num() == 7), "{ids:?}");
        assert!(ids[0].as_u128() >> 80 <= ids[1].as_u128() >> 80, "{ids:?}");
    }
}
