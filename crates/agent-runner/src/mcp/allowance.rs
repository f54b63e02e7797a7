//! How much of what a server says is passed on.

use tokio::time::Instant;

/// How many messages are passed on at once, and how many more in each second.
const MESSAGES: (u64, u64) = (100, 20);

/// Keeps a server from flooding others: a moderate number of messages passes.
#[derive(Debug)]
pub(super) struct Allowance {
    since: Instant,
    passed: u64,
    is_used_up: bool,
}

/// Whether a message passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Yes,
    /// It is the first one that does not.
    NoLonger,
    No,
}

impl Allowance {
    pub(super) fn new() -> Self {
        Allowance { since: Instant::now(), passed: 0, is_used_up: false }
    }

    /// Asks for one message.
    pub(super) fn take(&mut self) -> Pass {
        let allowed = MESSAGES.0 + self.since.elapsed().as_secs() * MESSAGES.1;
        if self.passed < allowed {
            self.passed += 1;
            return Pass::Yes;
        }
        if std::mem::replace(&mut self.is_used_up, true) { Pass::No } else { Pass::NoLonger }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages__too_many__do_not_pass_until_time_has_passed() {
        let mut allowance = Allowance::new();
        let passes: Vec<Pass> = (0..MESSAGES.0 + 2).map(|_| allowance.take()).collect();
        assert_eq!(passes.iter().filter(|pass| **pass == Pass::Yes).count() as u64, MESSAGES.0);
        assert_eq!(passes[passes.len() - 2..], [Pass::NoLonger, Pass::No]);
        tokio::time::advance(Duration::from_secs(1)).await;
        let passes = (0..MESSAGES.1 + 1).map(|_| allowance.take()).filter(|pass| *pass == Pass::Yes);
        assert_eq!(passes.count() as u64, MESSAGES.1);
    }
}
