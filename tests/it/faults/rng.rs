//! Random numbers, the same ones for the same seed.

use agent_tests::store::noise;

#[derive(Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Rng(seed)
    }

    /// Another generator, the same one for the same number.
    pub(super) fn fork(&self, number: u64) -> Rng {
        Rng(noise(self.0 ^ noise(number)))
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = noise(self.0);
        usize::try_from(self.0 >> 16).unwrap_or_default() % limit
    }
}
