//! Tables in memory that follow their contents down.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// A table of up to this size is not worth shrinking.
const SMALL: usize = 1024;

/// Shrinks a table that is mostly empty, and leaves room for it to double.
pub(crate) fn shrink<K: Eq + Hash, V, S: BuildHasher>(table: &mut HashMap<K, V, S>) {
    if table.capacity() > SMALL.max(4 * table.len()) {
        table.shrink_to(2 * table.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrink__mostly_empty__keeps_the_rest() {
        let mut table: HashMap<usize, usize> = (0..10_000).map(|number| (number, number)).collect();
        let full = table.capacity();
        shrink(&mut table);
        assert_eq!(table.capacity(), full, "it is in use");
        table.retain(|number, _| *number < 100);
        shrink(&mut table);
        assert!(table.capacity() < full / 10, "{} of {full}", table.capacity());
        assert_eq!(table.len(), 100);
    }
}
