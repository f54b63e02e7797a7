//! What a server remembers of its clients, for a limited number of them.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use parking_lot::Mutex;

/// A map that forgets its oldest entry when it is full, so that clients that never say goodbye cost nothing.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    capacity: usize,
    entries: Mutex<Entries<K, V>>,
}

#[derive(Debug)]
struct Entries<K, V> {
    values: HashMap<K, (u64, V)>,
    /// The keys in the order in which they came, each with the number of its entry. Some are gone.
    order: VecDeque<(u64, K)>,
    next: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Recent<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        let entries = Entries { values: HashMap::new(), order: VecDeque::new(), next: 0 };
        Recent { capacity, entries: Mutex::new(entries) }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.entries.lock().values.get(key).map(|(_, value)| value.clone())
    }

    /// Sets the value of a key, which counts as new.
    pub(crate) fn insert(&self, key: K, value: V) {
        let mut entries = self.entries.lock();
        entries.insert(key, value);
        entries.shrink(self.capacity);
    }

    /// The value of a key, which is made if there is none.
    pub(crate) fn get_or_insert_with(&self, key: &K, make: impl FnOnce() -> V) -> V {
        let mut entries = self.entries.lock();
        if let Some((_, value)) = entries.values.get(key) {
            return value.clone();
        }
        let value = make();
        entries.insert(key.clone(), value.clone());
        entries.shrink(self.capacity);
        value
    }

    pub(crate) fn remove(&self, key: &K) {
        self.entries.lock().values.remove(key);
    }
}

impl<K: Clone + Eq + Hash, V> Entries<K, V> {
    fn insert(&mut self, key: K, value: V) {
        let number = self.next;
        self.next += 1;
        self.values.insert(key.clone(), (number, value));
        self.order.push_back((number, key));
    }

    /// Drops the oldest entries beyond the capacity, and the keys of entries that are gone.
    fn shrink(&mut self, capacity: usize) {
        while let Some((number, key)) = self.order.front() {
            let is_current = self.values.get(key).is_some_and(|(current, _)| current == number);
            if is_current && self.values.len() <= capacity && self.order.len() <= 2 * capacity {
                return;
            }
            if is_current && self.values.len() <= capacity {
                // Many keys are gone, but not the first one.
                let values = &self.values;
                self.order
                    .retain(|(number, key)| values.get(key).is_some_and(|(current, _)| current == number));
                return;
            }
            if is_current {
                self.values.remove(key);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent__full__forgets_the_oldest() {
        let recent = Recent::new(2);
        recent.insert("a", 1);
        recent.insert("b", 2);
        recent.insert("a", 3);
        recent.insert("c", 4);
        assert_eq!([recent.get(&"a"), recent.get(&"b"), recent.get(&"c")], [Some(3), None, Some(4)]);
        recent.remove(&"a");
        assert_eq!(recent.get_or_insert_with(&"d", || 5), 5);
        assert_eq!([recent.get(&"a"), recent.get(&"c"), recent.get(&"d")], [None, Some(4), Some(5)]);
    }

    #[test]
    fn recent__same_key_again_and_again__keeps_no_old_keys() {
        let recent = Recent::new(4);
        recent.insert(100, 0);
        for round in 0..1000 {
            recent.insert(1, round);
        }
        assert!(recent.entries.lock().order.len() <= 9);
        assert_eq!(recent.get(&100), Some(0));
    }
}
