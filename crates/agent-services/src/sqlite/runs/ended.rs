//! The runs that have ended, in their order and with their bytes. They are counted once a transaction.

use parking_lot::Mutex;
use rusqlite::Connection;

use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::statement::{bounded, statements};

/// About what a run takes besides its log.
pub(super) const OVERHEAD: u64 = 1024;

statements! {
    LAST: "SELECT last_end FROM run_totals WHERE key = 1";
    NOTE: "UPDATE run_totals SET last_end = ?1, bytes = bytes + ?2 WHERE key = 1";
}

/// What has ended in the transaction that is open, which is not counted yet.
#[derive(Debug, Default)]
pub(super) struct Ended(Mutex<Count>);

#[derive(Debug, Default)]
struct Count {
    /// The number of the last one; `None` if it is as it is stored.
    last: Option<i64>,
    bytes: i64,
}

impl Ended {
    /// The number of the run that ends next.
    pub(super) fn next(&self, connection: &Connection) -> Outcome<i64> {
        let last = match self.0.lock().last {
            Some(last) => Some(last),
            None => LAST.one(connection, [], |row| Ok(row.get(0)?))?,
        };
        last.map(|last| last + 1).ok_or_else(missing)
    }

    /// Notes that it has ended, with a log of so many bytes.
    pub(super) fn note(&self, number: i64, bytes: u64) {
        let mut count = self.0.lock();
        *count = Count { last: Some(number), bytes: count.bytes + bounded(bytes + OVERHEAD) };
    }

    /// Counts them among those that are kept.
    pub(super) fn write(&self, connection: &Connection) -> Outcome<()> {
        let Count { last: Some(last), bytes } = std::mem::take(&mut *self.0.lock()) else { return Ok(()) };
        match NOTE.execute(connection, [last, bytes])? {
            0 => Err(missing()),
            _ => Ok(()),
        }
    }

    pub(super) fn forget(&self) {
        *self.0.lock() = Count::default();
    }
}

fn missing() -> Failure {
    Failure::Damaged("the totals of runs are missing".to_owned())
}
