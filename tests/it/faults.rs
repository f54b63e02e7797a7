//! Runs that survive faults: cut connections, killed or paused servers, a store that becomes unavailable and recovers, and
//! networks that lose data. Whatever happens, the history checker ([`agent_tests::history`]) finds no violation.
//!
//! `AGENT_TEST_ROUNDS` sets the number of rounds, and `AGENT_TEST_SEED` the seed, which is otherwise different each time.

mod addresses;
mod cluster;
mod coverage;
mod cuts;
mod final_state;
mod holes;
mod kills;
mod load;
mod outages;
mod pauses;
mod pauses_around_requests;
mod reader;
mod rng;
mod wire;
mod workers;
mod workload;

use std::sync::Arc;

use agent_tests::history::{Clock, History};

use addresses::Addresses;
use rng::Rng;

/// The common state of a test.
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
        #[expect(clippy::print_stderr, reason = "it is needed to repeat a failure")]
        {
            eprintln!("AGENT_TEST_SEED={}", world.seed);
        }
        world
    }

    fn rng(&self, number: usize) -> Rng {
        Rng::new(self.seed).fork(number as u64)
    }

    /// Fails if there is a violation.
    fn check(&self, history: &History) {
        let found = history.violations();
        if !found.is_empty() {
            let shown = format!("{found:#?}");
            let story = history.story(|run| shown.contains(run));
            panic!("AGENT_TEST_SEED={}\n{story}{} violations: {shown}", self.seed, found.len());
        }
    }
}
