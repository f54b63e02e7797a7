//! Ended runs in the order of their deletion.

use std::collections::BTreeMap;

use agent_schemas::RunId;

/// The approximate size of a run besides its counted bytes.
pub(super) const OVERHEAD: u64 = 1024;

/// A run's position: when it expires, in Unix seconds, and a unique number.
pub(super) type Place = (i64, u64);

/// Runs in the order in which they expire, and their total size in bytes.
#[derive(Debug, Default)]
pub(super) struct RetentionQueue {
    runs: BTreeMap<Place, (RunId, u64)>,
    bytes: u64,
}

impl RetentionQueue {
    pub(super) fn put(&mut self, place: Place, id: &RunId, bytes: usize) {
        let bytes = bytes as u64 + OVERHEAD;
        self.bytes += bytes;
        self.runs.insert(place, (id.clone(), bytes));
    }

    /// Removes a run, so that its bytes no longer count.
    pub(super) fn take(&mut self, place: Place) {
        if let Some((_, bytes)) = self.runs.remove(&place) {
            self.bytes -= bytes;
        }
    }

    /// The next run to delete, and when it expires.
    pub(super) fn first(&self) -> Option<(i64, RunId)> {
        self.runs.first_key_value().map(|((until, _), (id, _))| (*until, id.clone()))
    }

    /// The next run that has expired or is beyond the size limit.
    pub(super) fn next_to_go(&self, most: u64, now: i64) -> Option<&RunId> {
        let ((until, _), (id, _)) = self.runs.first_key_value()?;
        (self.bytes > most || *until <= now).then_some(id)
    }
}
