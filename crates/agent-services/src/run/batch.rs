//! Batches of log entries.

use bytes::Bytes;
use memchr::memmem;

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

    /// The same entries in batches of at most this many bytes, or of one entry if that is larger. They share the frames of
    /// this batch; nothing is copied.
    pub fn pieces(&self, max_bytes: usize) -> Vec<Batch> {
        if self.frames.len() <= max_bytes {
            return vec![self.clone()];
        }
        let mut pieces = Vec::with_capacity(self.frames.len() / max_bytes.max(1) + 1);
        let (mut first, mut start) = (self.first, 0);
        while start < self.frames.len() {
            let end = start + piece_length(&self.frames[start..], max_bytes);
            // The next frame contains its number, so the entries need not be counted.
            let next = number_of(&self.frames[end..]).unwrap_or_else(|| self.end());
            pieces.push(Batch { first, count: next - first, frames: self.frames.slice(start..end) });
            (first, start) = (next, end);
        }
        pieces
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

/// The end of the last frame within the first bytes, or of the first frame if none is.
fn piece_length(frames: &[u8], max_bytes: usize) -> usize {
    if frames.len() <= max_bytes {
        return frames.len();
    }
    let end = memmem::rfind(&frames[..max_bytes], b"\n\n").or_else(|| memmem::find(frames, b"\n\n"));
    end.map_or(frames.len(), |end| end + 2)
}

/// The number of the first entry.
fn number_of(frames: &[u8]) -> Option<u64> {
    let digits = frames.strip_prefix(b"id: ")?;
    let length = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..length]).ok()?.parse().ok()
}

/// The result of an append.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Whether the run was asked to stop.
    pub cancel_requested: bool,
}

impl Written {
    /// The result for stored entries.
    pub fn new(cancel_requested: bool) -> Self {
        Written { cancel_requested }
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

#[cfg(test)]
mod tests {
    use agent_schemas::sse;

    use super::*;

    fn batch(first: u64, sizes: &[usize]) -> Batch {
        let mut frames = Vec::new();
        for (number, size) in (first..).zip(sizes) {
            sse::start_frame(&mut frames, number);
            frames.extend(std::iter::repeat_n(b'x', *size));
            sse::end_frame(&mut frames);
        }
        Batch { first, count: sizes.len() as u64, frames: frames.into() }
    }

    #[test]
    fn pieces__any_size__are_whole_entries_that_make_up_the_batch() {
        for sizes in [&[][..], &[1], &[50, 1, 1, 90, 300, 1, 20, 20], &[10; 40]] {
            let batch = batch(7, sizes);
            for max_bytes in [1, 40, 100, 10_000] {
                let pieces = batch.pieces(max_bytes);
                assert_eq!(Batch::concat(&pieces), batch);
                for (piece, next) in pieces.iter().zip(pieces.iter().skip(1)) {
                    assert_eq!(piece.end(), next.first);
                }
                for piece in &pieces {
                    assert!(piece.frames.len() <= max_bytes || piece.count <= 1, "{piece:?}");
                    assert_eq!(sse::frames(&piece.frames).count() as u64, piece.count);
                }
            }
        }
    }
}
