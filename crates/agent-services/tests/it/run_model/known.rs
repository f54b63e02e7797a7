//! What the calls so far have made of a run.

use agent_schemas::{RunId, Status, sse};
use agent_services::run::{Batch, FencingToken, NewRun, OwnerId};

use super::calls::{Age, Part};

/// What is known of a run that was to be made, whether it was or not.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) run: NewRun,
    /// The rights that were given, of the store under test and of the one in memory.
    pub(super) tokens: Vec<(FencingToken, FencingToken)>,
    /// What was written to its log.
    pub(super) batches: Vec<Batch>,
    /// What closed it.
    pub(super) closed: Option<Batch>,
    /// What ended it.
    pub(super) ended: Option<(Batch, Status, Option<OwnerId>)>,
}

impl Known {
    pub(super) fn id(&self) -> &RunId {
        &self.run.record.id
    }

    pub(super) fn end(&self) -> u64 {
        self.batches.iter().map(Batch::end).max().unwrap_or_default()
    }

    /// The right that is so many times outdated; one that is none if there is no such.
    pub(super) fn token(&self, age: Age) -> (FencingToken, FencingToken) {
        let newest_first = self.tokens.iter().rev();
        newest_first.skip(age).copied().next().unwrap_or((FencingToken(0), FencingToken(0)))
    }

    /// The entries to write. `repeated` is what the same call may repeat; without one it is any batch.
    pub(super) fn batch(&self, part: Part, repeated: Option<Option<&Batch>>) -> Batch {
        // Of a log that has ended only new entries are written: whether others are a repetition or too late is not said.
        let least = u64::from(self.ended.is_some());
        let part = if matches!(part, Part::Again(_)) && least > 0 { Part::Next(1) } else { part };
        let end = self.end();
        let known = |number: usize| self.batches.get(number % self.batches.len().max(1));
        match part {
            Part::Next(count) => entries(end, count.max(least), "new"),
            Part::Again(number) => {
                let again = repeated.unwrap_or_else(|| known(number));
                again.cloned().unwrap_or_else(|| entries(end, 1, "new"))
            }
            Part::Other(number) => {
                let known = known(number).map_or((end, 1), |known| (known.first, known.count.max(1)));
                entries(known.0, known.1, if known.0 == end { "new" } else { "other" })
            }
            Part::Overlap => entries(end.saturating_sub(1), 2, "new"),
            Part::Gap => entries(end + 1, 1, "new"),
        }
    }
}

pub(super) fn entries(first: u64, count: u64, text: &str) -> Batch {
    let mut frames = Vec::new();
    for number in first..first + count {
        sse::start_frame(&mut frames, number);
        frames.extend_from_slice(format!("\"{text}\"").as_bytes());
        sse::end_frame(&mut frames);
    }
    Batch { first, count, frames: frames.into() }
}
