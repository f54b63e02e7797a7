//! A checker of histories: from what clients asked, saw and were told, and what the store has in the end, it finds
//! what the promises of `docs/runs.md` do not allow.
//!
//! It is pure, and it accuses nobody on suspicion: what it reports cannot be explained by messages that were late or
//! lost. Time is counted, not measured: clients and agents draw numbers from one [`Clock`], and an agent writes
//! numbers that it draws into its answer, as words `@17`. So a log tells at which moments its run was in
//! progress, and by whom it was not written.

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

/// All that is known of some runs, once they have ended.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The requests, in any order.
    pub asked: Vec<Submission>,
    /// What clients read, in any order.
    pub readings: Vec<Reading>,
    /// What clients were not given to read, in any order.
    pub refused: Vec<Refused>,
    /// What clients received about runs, in any order.
    pub told: Vec<Told>,
    /// What the store has in the end: all runs of the users, of each user in the order in which they were made.
    pub kept: Vec<StoredRun>,
    /// What the sessions remember in the end.
    pub said: Vec<Said>,
    /// The runs of which a client was told that they are asked to stop.
    pub canceled: Vec<String>,
    /// The runs of which a client was told that they are deleted.
    pub deleted: Vec<String>,
    /// What the store promised of events that were shown.
    pub durability: Durability,
}

impl History {
    /// What should not have happened.
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

    /// The kept runs of each session, in the order in which they were made.
    fn sessions(&self) -> HashMap<(&str, &str), Vec<&StoredRun>> {
        let mut sessions: HashMap<(&str, &str), Vec<&StoredRun>> = HashMap::new();
        for kept in &self.kept {
            sessions.entry((&kept.user, &kept.session)).or_default().push(kept);
        }
        sessions
    }

    /// The policy of the request that made a run; a run that nobody was given as the answer to a request of his own was
    /// handed over with [`Policy::Steer`].
    fn policy_of(&self, run: &str) -> Policy {
        let answered = self.asked.iter().filter(|asked| asked.run() == Some(run));
        answered.map(|asked| asked.policy).find(|policy| *policy != Policy::Steer).unwrap_or(Policy::Steer)
    }
}
