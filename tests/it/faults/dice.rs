//! Random numbers that come again with the same seed.

use agent_tests::store::noise;

#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice(seed)
    }

    /// Other dice, the same for the same number.
    pub(super) fn of(&self, number: u64) -> Dice {
        Dice(noise(self.0 ^ noise(number)))
    }

    /// A number below `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = noise(self.0);
        usize::try_from(self.0 >> 16).unwrap_or_default() % sides
    }
}
