//! Counts the memory of all in-memory stores of a process, and deletes data beyond the limit.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::{Error, ErrorKind, Result, WriteFault};

/// The default limit, in bytes.
pub(crate) const DEFAULT_BYTES: u64 = 256 << 20;

/// The memory of all in-memory stores of one place. The size of each store is an estimate.
///
/// Beyond the limit, the data least likely to be missed is deleted first: ended runs and anonymous sessions, oldest
/// first, then stored responses. If that is not enough, new data is rejected.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    max_bytes: u64,
    held: AtomicU64,
    stores: Mutex<Vec<Weak<dyn DropOldest>>>,
}

/// A store with data that may be deleted.
pub(crate) trait DropOldest: fmt::Debug + Send + Sync {
    /// The rank and the time of the next item to delete here. Data of a lower rank is deleted before data of a higher
    /// one, and older data, by its time in Unix seconds, before newer.
    fn oldest(&self) -> Option<(u8, i64)>;

    /// Deletes it.
    fn drop_oldest(&self);
}

impl Default for MemoryBudget {
    fn default() -> Self {
        MemoryBudget::new(DEFAULT_BYTES)
    }
}

impl MemoryBudget {
    pub(crate) fn new(max_bytes: u64) -> Self {
        MemoryBudget { max_bytes, held: AtomicU64::new(0), stores: Mutex::default() }
    }

    /// Allows deleting data of this store when memory is short.
    pub(crate) fn may_drop_from(&self, store: &Arc<impl DropOldest + 'static>) {
        let store: Arc<dyn DropOldest> = Arc::clone(store) as _;
        self.stores.lock().push(Arc::downgrade(&store));
    }

    /// Records that the size of an item changed from one number of bytes to another.
    pub(crate) fn change(&self, before: u64, now: u64) {
        if now > before {
            self.held.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.held.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    fn is_exceeded(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.max_bytes
    }

    /// Rejects new data if there is no room for it even after old data was deleted. The caller must not hold a lock of
    /// a store.
    ///
    /// # Errors
    /// [`ErrorKind::Full`], which names the setting.
    pub(crate) fn admit(&self, operation: &'static str) -> Result<()> {
        while self.is_exceeded() {
            let stores: Vec<_> = self.stores.lock().iter().filter_map(Weak::upgrade).collect();
            let next =
                stores.iter().filter_map(|store| Some((store.oldest()?, store))).min_by_key(|(at, _)| *at);
            let Some((_, store)) = next else { return Err(self.full(operation)) };
            store.drop_oldest();
        }
        Ok(())
    }

    fn full(&self, operation: &'static str) -> Error {
        let message = format!(
            "the data in memory takes {} bytes, and the limit is {} (services.memory_bytes); delete \
             sessions, raise the limit, or keep the data in a file or in Redis",
            self.held.load(Ordering::Relaxed),
            self.max_bytes
        );
        Error::new(ErrorKind::Full, operation, message).with_write_fault(WriteFault::Full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of 10 bytes with their ranks and times.
    #[derive(Debug)]
    struct Pieces(Mutex<Vec<(u8, i64)>>, Arc<MemoryBudget>);

    impl DropOldest for Pieces {
        fn oldest(&self) -> Option<(u8, i64)> {
            self.0.lock().iter().min().copied()
        }

        fn drop_oldest(&self) {
            let mut pieces = self.0.lock();
            let oldest = pieces.iter().min().copied().expect("there is one");
            pieces.retain(|piece| *piece != oldest);
            self.1.change(10, 0);
        }
    }

    #[test]
    fn admit__too_much_data__drops_the_oldest_then_refuses() {
        let budget = Arc::new(MemoryBudget::new(35));
        let of = |pieces: &[(u8, i64)]| {
            let store = Arc::new(Pieces(Mutex::new(pieces.to_vec()), Arc::clone(&budget)));
            budget.may_drop_from(&store);
            budget.change(0, 10 * pieces.len() as u64);
            store
        };
        let (one, other) = (of(&[(0, 3), (1, 1)]), of(&[(0, 2), (0, 4)]));
        assert!(budget.admit("test").is_ok());
        assert_eq!(*other.0.lock(), [(0, 4)], "the oldest of the lowest rank went");
        budget.change(0, 20);
        assert!(budget.admit("test").is_ok());
        assert_eq!((&*one.0.lock(), &*other.0.lock()), (&vec![(1, 1)], &vec![]));
        budget.change(0, 20);
        let refused = budget.admit("test").expect_err("nothing is left that may go");
        assert_eq!(refused.kind(), ErrorKind::Full);
        assert!(
            one.0.lock().is_empty() && refused.to_string().contains("services.memory_bytes"),
            "{refused}"
        );
        budget.change(40, 0);
        assert!(budget.admit("test").is_ok());
    }
}
