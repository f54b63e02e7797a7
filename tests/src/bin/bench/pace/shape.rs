//! The streams of a row of the table.

use std::time::Duration;

/// How many streams are open at once, and how they look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) streams: usize,
    pub(crate) words: usize,
    /// The time from word to word.
    pub(crate) delay: Duration,
    /// How many streams each connection asks for, one after another.
    pub(crate) repeats: u32,
}

/// A measurement takes at least this long.
const SHORTEST: Duration = Duration::from_secs(8);

/// All streams are started in at most this time.
const LONGEST_START: Duration = Duration::from_secs(4);

/// The golden ratio's fractional part. Its multiples are spread evenly over the time of starting and also within a delay, so
/// that the words of many streams are not due in the same millisecond.
const GOLDEN: f64 = 0.618_033_988_749_895;

impl Shape {
    pub(crate) fn new(streams: usize, words: usize, delay: Duration) -> Self {
        let repeats = SHORTEST.as_secs_f64() / (delay * words as u32).as_secs_f64().max(1e-3);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number"
        )]
        let repeats = repeats.ceil().max(1.0) as u32;
        Shape { streams, words, delay, repeats }
    }

    pub(crate) fn name(&self) -> String {
        format!(
            "{} streams of {} words, a word every {} ms",
            self.streams,
            self.words,
            self.delay.as_millis()
        )
    }

    /// The words of all streams.
    pub(crate) fn all_words(&self) -> usize {
        self.streams * self.words * self.repeats as usize
    }

    /// The duration of one stream.
    fn length(&self) -> Duration {
        self.delay * u32::try_from(self.words).unwrap_or(u32::MAX)
    }

    /// The time during which the streams are started. Repeated ones are spread over a whole stream, so that the starts stay
    /// spread.
    fn starting(&self) -> Duration {
        if self.repeats > 1 { self.length() } else { (self.length() / 4).min(LONGEST_START) }
    }

    /// When the stream at this position starts.
    pub(crate) fn start_of(&self, position: usize) -> Duration {
        self.starting().mul_f64((position as f64 * GOLDEN).fract())
    }

    /// A moment when all streams are open, late in their lives.
    pub(crate) fn all_open(&self) -> Duration {
        let first_end = self.length() * self.repeats;
        self.starting() + first_end.saturating_sub(self.starting()).mul_f64(0.8)
    }
}
