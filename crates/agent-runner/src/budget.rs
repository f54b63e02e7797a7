//! Shared budgets of bytes, which limit the memory of all requests, runs and connections together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use agent_schemas::AgentRequest;
use agent_schemas::json::JsonSize;
use parking_lot::Mutex;

/// A limit of bytes that many users share. Cheap to clone; the clones share everything.
#[derive(Clone, Debug)]
pub struct ByteBudget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    used: AtomicUsize,
    /// The tasks that wait until the budget is no longer exceeded.
    waiting: Mutex<Vec<Waker>>,
}

/// A part of a budget, returned when this is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: ByteBudget,
    bytes: usize,
}

/// Roughly how many bytes a request takes in memory.
pub(crate) fn request_bytes(request: &AgentRequest) -> usize {
    JsonSize::of(request).memory()
}

impl ByteBudget {
    /// A budget of this many bytes.
    pub fn new(limit: usize) -> Self {
        ByteBudget(Arc::new(Inner { limit, used: AtomicUsize::new(0), waiting: Mutex::default() }))
    }

    /// How many bytes it has.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// How many bytes are in use. It may be more than the limit, see [`Reservation::set`].
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Returns whether more bytes are in use than the limit.
    pub fn is_exceeded(&self) -> bool {
        self.used() > self.0.limit
    }

    /// An empty reservation, to grow later.
    pub fn reservation(&self) -> Reservation {
        Reservation { budget: self.clone(), bytes: 0 }
    }

    /// Reserves bytes if that many are available.
    pub fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let mut reservation = self.reservation();
        reservation.grow(bytes).then_some(reservation)
    }

    /// Returns bytes for which [`Reservation::hand_over`] gave up responsibility.
    pub fn take_over(&self, bytes: usize) {
        drop(Reservation { budget: self.clone(), bytes });
    }

    /// Wakes a task once the budget is no longer exceeded; returns whether that is already the case.
    pub(crate) fn is_within(&self, waker: &Waker) -> bool {
        if !self.is_exceeded() {
            return true;
        }
        let mut waiting = self.0.waiting.lock();
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
        // Bytes may have been returned before the waker was registered.
        !self.is_exceeded()
    }

    fn release(&self, bytes: usize) {
        let before = self.0.used.fetch_sub(bytes, Ordering::AcqRel);
        if before > self.0.limit && before - bytes <= self.0.limit {
            let waiting = std::mem::take(&mut *self.0.waiting.lock());
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

impl Reservation {
    /// The budget that it belongs to.
    pub fn budget(&self) -> &ByteBudget {
        &self.budget
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reserves more bytes if that many are available; returns whether they were.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let Inner { limit, used, .. } = &*self.budget.0;
        let grown = used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|used| used <= limit)
        });
        self.bytes += if grown.is_ok() { bytes } else { 0 };
        grown.is_ok()
    }

    /// Ends the reservation without returning its bytes; [`ByteBudget::take_over`] has to return them.
    pub fn hand_over(mut self) {
        self.bytes = 0;
    }

    /// Sets the number of bytes, even if that exceeds the budget: for data that is already in memory.
    pub fn set(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.budget.0.used.fetch_add(bytes - self.bytes, Ordering::AcqRel);
        } else if bytes < self.bytes {
            self.budget.release(self.bytes - bytes);
        }
        self.bytes = bytes;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::task::Wake;

    use super::*;

    struct Flag(AtomicBool);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn reserve__more_than_there_is__is_refused() {
        let budget = ByteBudget::new(10);
        let mut first = budget.reserve(6).expect("there are 10");
        assert!(budget.reserve(5).is_none() && !first.grow(5) && first.grow(4));
        assert_eq!((first.bytes(), budget.used()), (10, 10));
        drop(first);
        assert_eq!(budget.used(), 0);
        assert!(budget.reserve(usize::MAX).is_none());
    }

    #[test]
    fn waiting__budget_is_exceeded__wakes_when_enough_is_returned() {
        let budget = ByteBudget::new(10);
        let (mut one, mut other) = (budget.reservation(), budget.reservation());
        one.set(8);
        other.set(8);
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        let is_within = || budget.is_within(&Waker::from(Arc::clone(&flag)));
        assert!(!is_within());
        one.set(5);
        assert!(!flag.0.load(Ordering::Relaxed), "13 bytes are still more than 10");
        drop(other);
        assert!(flag.0.load(Ordering::Relaxed) && is_within());
    }
}
