//! Batches of log entries.

use bytes::Bytes;

/// Consecutive entries of a log, encoded as frames (see [`agent_schemas::sse`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The number of the first entry.
    pub first: u64,
    /// The number of entries.
    pub count: u64,
    /// Their frames, one after the other.
    pub frames: Bytes,
}

impl Batch {
    /// An empty batch at this position of a log.
    pub fn empty(first: u64) -> Self {
        Batch { first, count: 0, frames: Bytes::new() }
    }

    /// Joins consecutive batches. If only one of them has entries, nothing is copied.
    pub fn concat(batches: &[Batch]) -> Self {
        let mut filled = batches.iter().filter(|batch| batch.count > 0);
        match (filled.next(), filled.next()) {
            (Some(only), None) => only.clone(),
            (None, _) => Batch::empty(batches.first().map_or(0, |batch| batch.first)),
            _ => {
                let frames: Vec<&[u8]> = batches.iter().map(|batch| &batch.frames[..]).collect();
                let count = batches.iter().map(|batch| batch.count).sum();
                Batch { first: batches[0].first, count, frames: frames.concat().into() }
            }
        }
    }

    /// The number of the entry that follows.
    pub fn end(&self) -> u64 {
        self.first + self.count
    }

    /// The part from entry `from` on; `None` if that is past the end.
    pub fn starting_at(&self, from: u64) -> Option<Batch> {
        if from <= self.first {
            return Some(self.clone());
        }
        let skipped = from - self.first;
        if skipped >= self.count {
            return None;
        }
        let start = agent_schemas::sse::skip_frames(&self.frames, usize::try_from(skipped).ok()?);
        Some(Batch { first: from, count: self.count - skipped, frames: self.frames.slice(start..) })
    }
}

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogChunk {
    /// The entries, in order and without gaps; empty if the log has nothing from the requested position on yet.
    pub batches: Vec<Batch>,
    /// Whether the log ends with the last of these entries, so that no entry will follow.
    pub is_end: bool,
}
