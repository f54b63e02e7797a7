//! A checker of histories. From the requests of clients, what they read and learned, and the final state of the store, it
//! finds violations of the promises in `docs/runs.md`.
//!
//! It is pure, and has no false positives: late or lost messages cannot explain what it reports. Time is counted, not
//! measured: clients and agents draw numbers from one [`Clock`], and an agent writes the numbers that it draws into its
//! answer, as words like `@17`. So a log shows when its run was in progress, and whether an owner wrote after it had lost
//! the run.

mod acknowledged;
mod asked;
mod conversation;
mod log;
mod record;
mod seen;
mod story;
#[cfg(test)]
mod tests;
mod turns;
mod violation;

use std::collections::HashMap;

pub use record::{
    Clock, Durability, Event, EventId, Moment, Place, Policy, Reading, Refused, Reply, Said, StoredRun,
    Submission, Told,
};
pub use violation::Violation;

/// Everything that is known about some runs, once they have ended.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The requests, in any order.
    pub asked: Vec<Submission>,
    /// The readings of clients, in any order.
    pub readings: Vec<Reading>,
    /// The rejected readings of clients, in any order.
    pub refused: Vec<Refused>,
    /// The statuses of runs that clients received, in any order.
    pub told: Vec<Told>,
    /// The final state of the store: all runs of the users, for each user in the order of their creation.
    pub kept: Vec<StoredRun>,
    /// The final histories of the sessions.
    pub said: Vec<Said>,
    /// The runs whose cancellation was acknowledged.
    pub canceled: Vec<String>,
    /// The runs whose deletion was acknowledged.
    pub deleted: Vec<String>,
    /// The store's promise for events that were shown.
    pub durability: Durability,
}

impl History {
    /// The violations.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for kept in &self.kept {
            log::check(kept, &mut found);
        }
        seen::check(self, &mut found);
        turns::check(self, &mut found);
        asked::check(self, &mut found);
        acknowledged::check(self, &mut found);
        conversation::check(self, &mut found);
        found
    }

    /// Adds another history, of other users.
    pub fn extend(&mut self, other: History) {
        self.asked.extend(other.asked);
        self.readings.extend(other.readings);
        self.refused.extend(other.refused);
        self.told.extend(other.told);
        self.kept.extend(other.kept);
        self.said.extend(other.said);
        self.canceled.extend(other.canceled);
        self.deleted.extend(other.deleted);
    }

    /// The kept runs of each session, in the order of their creation.
    fn sessions(&self) -> HashMap<(&str, &str), Vec<&StoredRun>> {
        let mut sessions: HashMap<(&str, &str), Vec<&StoredRun>> = HashMap::new();
        for kept in &self.kept {
            sessions.entry((&kept.user, &kept.session)).or_default().push(kept);
        }
        sessions
    }

    /// The policy of the request that created a run. A run that was not the answer to any request was handed over with
    /// [`Policy::Steer`].
    fn policy_of(&self, run: &str) -> Policy {
        let answered = self.asked.iter().filter(|asked| asked.run() == Some(run));
        answered.map(|asked| asked.policy).find(|policy| *policy != Policy::Steer).unwrap_or(Policy::Steer)
    }
}
