//! The system's clock and random ids, and ones for tests that stand still and count.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use agent_schemas::{Clock, IdSource};
use uuid::Uuid;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_seconds(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
        let now = SystemTime::now();
        // A clock before 1970 or past the year 292 billion is broken; the nearest representable time is as good.
        now.duration_since(UNIX_EPOCH).map_or(0, |age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
    }
}

/// Random ids from the operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn uuid(&self) -> String {
        Uuid::new_v4().to_string()
    }

    fn random(&self) -> String {
        // A version 4 UUID fixes six bits, so two of them are needed for 128 random ones.
        let first = Uuid::new_v4().as_u128();
        let second = Uuid::new_v4().as_u128();
        format!("{:032x}", first ^ second.rotate_left(64))
    }
}

/// A clock that a test sets.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at this time, in Unix seconds.
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
