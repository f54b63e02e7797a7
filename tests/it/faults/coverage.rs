//! Counts what happened in all rounds of a test, so that a test in which nothing happened does not pass.

use std::collections::BTreeMap;

use agent_tests::history::History;

#[derive(Debug, Default)]
pub(super) struct Coverage {
    runs: usize,
    taken_over: usize,
    /// The maximum number of takeovers of one run.
    most_takeovers: u64,
    canceled: usize,
    statuses: BTreeMap<String, usize>,
    unanswered_requests: usize,
    connections: usize,
}

impl Coverage {
    pub(super) fn add(&mut self, history: &History) {
        self.runs += history.kept.len();
        for kept in &history.kept {
            self.taken_over += usize::from(kept.log.last().is_some_and(|last| last.id.epoch > 1));
            let latest = kept.log.last().map_or(1, |last| last.id.epoch);
            self.most_takeovers = self.most_takeovers.max(latest - 1);
            *self.statuses.entry(kept.status.clone()).or_default() += 1;
        }
        self.canceled += history.canceled.len();
        let is_lost = |reply: &agent_tests::history::Reply| *reply == agent_tests::history::Reply::Lost;
        self.unanswered_requests += history.asked.iter().filter(|asked| is_lost(&asked.reply)).count();
        self.connections += history.readings.len();
    }

    /// Whether a test goes on after this many rounds: it does `least` rounds, and more until a run was taken over. The random
    /// input decides whether a fault hits a run in progress.
    pub(super) fn wants(&self, round: usize, least: usize) -> bool {
        round < least || (self.taken_over == 0 && round < 10 * least)
    }

    /// Prints the counts; fails if no run was taken over, or one failed.
    pub(super) fn check(&self) {
        self.check_statuses();
        assert!(self.taken_over > 0, "no run was taken over: {self:?}");
    }

    /// Prints the counts; fails if a run was given up or taken over repeatedly, because all servers are alive.
    pub(super) fn check_continuity(&self) {
        self.check_statuses();
        assert!(!self.statuses.contains_key("incomplete"), "{self:?}");
        assert!(self.most_takeovers <= 2, "{self:?}");
    }

    /// Prints the counts; fails if a run failed, because none of the agents fail.
    pub(super) fn check_statuses(&self) {
        #[expect(clippy::print_stderr, reason = "it is shown on demand")]
        {
            eprintln!("{self:?}");
        }
        assert!(!self.statuses.contains_key("failed"), "{self:?}");
    }
}
