//! Runs that survive: connections that are cut, servers that are killed or paused, a store that goes away and comes
//! back. Whatever happens, the history checker ([`agent_tests::history`]) finds no violation.
//!
//! Rounds come from `AGENT_TEST_ROUNDS` and the seed from `AGENT_TEST_SEED`, else it is another one each time.

mod addresses;
mod cluster;
mod coverage;
mod cuts;
mod final_state;
mod kills;
mod load;
mod outages;
mod pauses;
mod reader;
mod rng;
mod wire;
mod workload;

use std::sync::Arc;

use agent_tests::history::{Clock, History};

use addresses::Addresses;
use rng::Rng;

/// What all that happens in a test has in common.
#[derive(Clone, Debug)]
struct World {
    addresses: Arc<Addresses>,
    clock: Arc<Clock>,
    seed: u64,
}

impl World {
    fn new(servers: usize) -> Self {
        let world = World {
            addresses: Arc::new(Addresses::new(servers)),
            clock: Arc::default(),
            seed: agent_tests::seed(),
        };
        #[expect(clippy::print_stderr, reason = "a failure is repeated with it")]
        {
            eprintln!("AGENT_TEST_SEED={}", world.seed);
        }
        world
    }

    fn rng(&self, number: usize) -> Rng {
        Rng::new(self.seed).fork(number as u64)
    }

    /// Fails if something happened that should not.
    fn check(&self, history: &History) {
        let found = history.violations();
        if !found.is_empty() {
            let shown = format!("{found:#?}");
            let story = history.story(|run| shown.contains(run));
            panic!("AGENT_TEST_SEED={}\n{story}{} violations: {shown}", self.seed, found.len());
        }
    }
}
