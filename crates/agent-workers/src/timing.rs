//! How long the supervision of workers waits for what.

use std::time::Duration;

/// How long the supervision waits for what. Only tests change it.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct Timing {
    /// How often a worker is asked for a sign of life.
    pub ping: Duration,
    /// How long an event loop may stand still, or a worker be silent, until the worker gets no new runs.
    pub stuck: Duration,
    /// How long a worker may be silent until it is killed.
    pub silence: Duration,
    /// How long a cancelled run may take to end until its worker is replaced.
    pub cancel: Duration,
    /// How long the other runs of a worker that has to be replaced may take.
    pub drain: Duration,
    /// How long a worker that has closed its socket may take to exit, and the other way round.
    pub last_breath: Duration,
    /// The pauses between starts, while workers end soon after they were started.
    pub first_pause: Duration,
    /// The longest of these pauses.
    pub longest_pause: Duration,
    /// Crashes within this time belong to a series.
    pub series: Duration,
    /// How often the files of a script are looked at.
    pub changes: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            ping: Duration::from_secs(1),
            stuck: Duration::from_secs(5),
            silence: Duration::from_secs(60),
            cancel: Duration::from_secs(30),
            drain: Duration::from_mins(15),
            last_breath: Duration::from_secs(1),
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(30),
            series: Duration::from_secs(60),
            changes: Duration::from_millis(500),
        }
    }
}
